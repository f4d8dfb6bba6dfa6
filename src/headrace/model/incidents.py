"""What is wrong, since when, and who has been told."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Integer
from sqlalchemy.dialects.postgresql import JSONB

from headrace.model.base import ID, Table, col, key, time


class Incident(Table, table=True):
    """That a rule has found something wrong with a subject, until it no longer does.

    `said` is the sentence and `hint` what to do; `link` is the page of the dashboard that mends it;
    `ended` says how it came to be over.
    """

    __tablename__ = "incidents"
    incident_id: str = key()
    rule: str = col(ID, null=False)
    subject: str = col(ID, null=False)
    said: str = col(null=False)
    hint: str = col(null=False)
    link: str = col(null=False)
    raised_at: datetime = time(null=False)
    over_at: datetime | None = time()
    ended: str | None = col()
    acknowledged_at: datetime | None = time()
    acknowledged_by: str | None = col(ID)
    snoozed_until: datetime | None = time()


class AlertLook(Table, table=True):
    """When a rule was last looked at, and how many subjects it found; `since` when it has been so,
    where a rule waits for that to last."""

    __tablename__ = "alert_looks"
    rule: str = key()
    looked_at: datetime = time(null=False)
    subjects: int = col(Integer, null=False)
    since: datetime | None = time()


class StreamShape(Table, table=True):
    """What records of a stream look like, as samples of its batches have shown, `batch_id` the last
    of them; and in which fields they have come to differ, if they have."""

    __tablename__ = "stream_shapes"
    stream_id: int = key(BigInteger)
    shape: dict[str, Any] = col(JSONB, null=False)
    batch_id: int = col(BigInteger, null=False)
    drift: dict[str, str] | None = col(JSONB)
    drifted_at: datetime | None = time()
    looked_at: datetime = time(null=False)


class AlertDelivery(Table, table=True):
    """That a channel of the operator's is told of an incident, or that it is over: `due_at` is when
    it is tried next, `asked_at` when somebody last wanted it sent."""

    __tablename__ = "alert_deliveries"
    delivery_id: str = key()
    incident_id: str = col(ID, null=False)
    event: str = col(ID, null=False)
    channel: str = col(ID, null=False)
    state: str = col(null=False)
    attempts: int = col(Integer, null=False)
    due_at: datetime = time(null=False)
    asked_at: datetime = time(null=False)
    told_at: datetime | None = time()
    answer: str | None = col()
