"""Who is told of what happens, and what they are told."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Boolean, Identity, Integer, LargeBinary, Text
from sqlalchemy.dialects.postgresql import JSONB

from headrace.model.base import ID, Table, col, key, time


class Webhook(Table, table=True):
    """An endpoint of somebody's that is told of events. `secrets`, sealed, sign what it is told;
    `key_user` is whose rows it is told of; null: the whole tenant's. `reason` is why it is paused.
    `failures` counts the attempts since one got through; until `quiet_until` it is left alone."""

    __tablename__ = "webhooks"
    webhook_id: str = key()
    key_user: str | None = col(ID)
    url: str = col(null=False)
    name: str | None = col()
    events: list[str] = col(ARRAY(Text), null=False)
    secrets: bytes = col(LargeBinary, null=False)
    trusted: bool = col(Boolean, null=False)
    paused: bool = col(Boolean, null=False)
    reason: str | None = col()
    failures: int = col(Integer, null=False)
    quiet_until: datetime | None = time()
    created_at: datetime = time(null=False)


class WebhookDelivery(Table, table=True):
    """One message to one endpoint, and what came of it. The receiver knows it by `message_id`,
    however often it is sent. Of one `subject`, the oldest goes first."""

    __tablename__ = "webhook_deliveries"
    delivery_id: int = key(BigInteger, server_default=Identity(always=True))
    webhook_id: str = col(ID, null=False)
    message_id: str = col(ID, null=False)
    event: str = col(ID, null=False)
    subject: str = col(ID, null=False)
    data: dict[str, Any] = col(JSONB, null=False)
    state: str = col(null=False)
    attempts: int = col(Integer, null=False)
    next_at: datetime = time(null=False)
    status: int | None = col(Integer)
    answer: str | None = col()
    took_ms: int | None = col(Integer)
    history: list[dict[str, Any]] = col(JSONB, null=False)
    created_at: datetime = time(null=False)
    asked_at: datetime = time(null=False)
    tried_at: datetime | None = time()
    delivered_at: datetime | None = time()
