"""What is to be done again and again, and when."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, Integer
from sqlalchemy.dialects.postgresql import JSONB

from headrace.model.base import ID, Table, col, key, time


class Schedule(Table, table=True):
    """A job that is to be made again and again. A connection has one at most: its own cadence.

    `spec` is as somebody wrote it; `every_seconds` is what it means now, where it is no cron, and
    `history` what a learned one has learned that from. `key_user` is whose rows it is about; null:
    the whole tenant's. `left_out` counts the missed runs that the last making-up left out.
    """

    __tablename__ = "schedules"
    schedule_id: str = key()
    name: str | None = col()
    kind: str = col(ID, null=False)
    connection_id: str | None = col(ID)
    key_user: str | None = col(ID)
    payload: dict[str, Any] = col(JSONB, null=False)
    spec: str = col(null=False)
    timezone: str = col(null=False)
    jitter: int | None = col(Integer)
    missed: str = col(null=False)
    paused: bool = col(Boolean, null=False)
    every_seconds: int | None = col(Integer)
    history: dict[str, Any] | None = col(JSONB)
    next_at: datetime = time(null=False)
    last_at: datetime | None = time()
    last_job_id: str | None = col(ID)
    left_out: int = col(Integer, null=False)
    last_error: str | None = col()
    hint: str | None = col()
    created_at: datetime = time(null=False)
