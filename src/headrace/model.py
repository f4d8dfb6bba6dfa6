"""The nouns as SQLModel tables: what each row is, who owns it, what is unique.

This is the readable description; `store/migrations` is the road to it, and a test proves that the
two are the same database. Every table begins with tenant and user, and every key with the tenant,
so that row-level security can bind and a unique violation tells nothing of another tenant.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import (
    ARRAY,
    JSON,
    BigInteger,
    Boolean,
    DateTime,
    Identity,
    Integer,
    LargeBinary,
    MetaData,
    Text,
)
from sqlalchemy.dialects.postgresql import JSONB, TSVECTOR
from sqlmodel import Field, SQLModel

SCHEMA = "headrace"
metadata = MetaData(schema=SCHEMA)

# Identifiers are compared byte by byte: half the cost of a locale's rules in a large index.
_ID = Text(collation="C")


def _key(kind: Any = _ID, **more: Any) -> Any:
    return Field(primary_key=True, nullable=False, sa_type=kind, sa_column_kwargs=more)


def _col(kind: Any = Text, *, null: bool = True) -> Any:
    return Field(nullable=null, sa_type=kind)


def _time(*, null: bool = True) -> Any:
    return _col(DateTime(timezone=True), null=null)


class _Table(SQLModel):
    """What every row has: who owns it."""

    metadata: ClassVar[MetaData] = metadata

    tenant_id: str = _key()
    user_id: str = _col(_ID, null=False)


class ApiKey(_Table, table=True):
    """A key people or programs call the API with; only its SHA-256 is kept. `key_user_id` narrows
    it to one user's rows; without it the key sees all of its tenant."""

    __tablename__ = "api_keys"
    key_hash: bytes = _key(LargeBinary)
    key_user_id: str | None = _col(_ID)
    name: str = _col(null=False)
    prefix: str = _col(null=False)
    created_at: datetime = _time(null=False)
    last_used_at: datetime | None = _time()
    revoked_at: datetime | None = _time()


class Connection(_Table, table=True):
    """One account at one provider, its config, its sealed credential and its health in words.

    `trusted` ones were made by the operator: they may name environment variables and reach
    private addresses; one made by an API caller may not.
    """

    __tablename__ = "connections"
    connection_id: str = _key()
    provider: str = _col(null=False)
    name: str = _col(null=False)
    config: dict[str, Any] = _col(JSONB, null=False)
    credential: bytes | None = _col(LargeBinary)
    trusted: bool = _col(Boolean, null=False)
    addresses: list[str] = _col(ARRAY(Text), null=False)
    health: str = _col(null=False)
    health_reason: str | None = _col()
    health_hint: str | None = _col()
    created_at: datetime = _time(null=False)
    synced_at: datetime | None = _time()


class Stream(_Table, table=True):
    """One sequence inside a connection: a mailbox, a calendar, an events feed."""

    __tablename__ = "streams"
    stream_id: int = _key(BigInteger, server_default=Identity(always=True))
    connection_id: str = _col(_ID, null=False)
    name: str = _col(null=False)
    content: str = _col(null=False)
    total: int | None = _col(BigInteger)
    created_at: datetime = _time(null=False)


class Checkpoint(_Table, table=True):
    """How far a slice of a stream has been landed. Moves only in the transaction of its rows.

    `epoch` is the fence: a writer that does not hold the newest one cannot commit. `walk` counts
    the walks from the start; `done_by` is the job that completed the current one.
    """

    __tablename__ = "checkpoints"
    stream_id: int = _key(BigInteger)
    slice: str = _key()
    cursor: Any = _col(JSON)
    epoch: int = _col(BigInteger, null=False)
    walk: int = _col(Integer, null=False)
    pages: int = _col(BigInteger, null=False)
    restarts: int = _col(Integer, null=False)
    high_water: datetime | None = _time()
    done_by: str | None = _col(_ID)
    updated_at: datetime = _time(null=False)


class Batch(_Table, table=True):
    """What one commit landed: the unit of lineage, of stage work and of metrics."""

    __tablename__ = "batches"
    batch_id: int = _key(BigInteger, server_default=Identity(always=True))
    stream_id: int = _col(BigInteger, null=False)
    slice: str = _col(_ID, null=False)
    walk: int = _col(Integer, null=False)
    job_id: str = _col(_ID, null=False)
    epoch: int = _col(BigInteger, null=False)
    pages: int = _col(Integer, null=False)
    fetched: int = _col(Integer, null=False)
    inserted: int = _col(Integer, null=False)
    unchanged: int = _col(Integer, null=False)
    dead_lettered: int = _col(Integer, null=False)
    payload_bytes: int = _col(BigInteger, null=False)
    cursor_before: Any = _col(JSON)
    cursor_after: Any = _col(JSON)
    cursor_hashes: bytes = _col(LargeBinary, null=False)
    committed_at: datetime = _time(null=False)


class RawEvent(_Table, table=True):
    """One version of one source record, verbatim: the immutable truth of everything below."""

    __tablename__ = "raw_events"
    stream_id: int = _key(BigInteger)
    source_id: str = _key()
    version: int = _key(Integer)
    content_hash: bytes = _col(LargeBinary, null=False)
    batch_id: int = _col(BigInteger, null=False)
    occurred_at: datetime | None = _time()
    payload: bytes = _col(LargeBinary, null=False)


class StageRun(_Table, table=True):
    """That a stage, in one version of its code, has finished a batch (or given it up: `error`)."""

    __tablename__ = "stage_runs"
    batch_id: int = _key(BigInteger)
    stage: str = _key()
    version: int = _key(Integer)
    rows_in: int = _col(Integer, null=False)
    rows_out: int = _col(Integer, null=False)
    dead_lettered: int = _col(Integer, null=False)
    duration_ms: int = _col(Integer, null=False)
    error: str | None = _col()
    finished_at: datetime = _time(null=False)


class Job(_Table, table=True):
    """One durable unit of work a person can see, cancel and retry.

    `job_id` is the id of its first workflow; `turn` counts the workflows that carried it on after
    a pause, `attempts` those of them that failed. `error_code` is what a command ends with that
    waited for it: see `headrace.errors`.
    """

    __tablename__ = "jobs"
    job_id: str = _key()
    kind: str = _col(null=False)
    connection_id: str | None = _col(_ID)
    payload: dict[str, Any] = _col(JSONB, null=False)
    priority: str = _col(null=False)
    status: str = _col(null=False)
    turn: int = _col(Integer, null=False)
    attempts: int = _col(Integer, null=False)
    resume_at: datetime | None = _time()
    summary: dict[str, Any] | None = _col(JSONB)
    last_error: str | None = _col()
    hint: str | None = _col()
    error_code: int | None = _col(Integer)
    idempotency_key: str | None = _col()
    created_at: datetime = _time(null=False)
    started_at: datetime | None = _time()
    completed_at: datetime | None = _time()


class DeadLetter(_Table, table=True):
    """A record or batch that could not be processed: its bytes, why, what to do; never blocks.

    `stage` is "landing" for what never became a raw event, else the stage that refused it.
    """

    __tablename__ = "dead_letters"
    dead_letter_id: int = _key(BigInteger, server_default=Identity(always=True))
    stream_id: int | None = _col(BigInteger)
    batch_id: int | None = _col(BigInteger)
    job_id: str | None = _col(_ID)
    stage: str = _col(null=False)
    source_id: str | None = _col(_ID)
    version: int | None = _col(Integer)
    content_hash: bytes = _col(LargeBinary, null=False)
    raw: bytes | None = _col(LargeBinary)
    reason: str = _col(null=False)
    hint: str = _col(null=False)
    attempts: int = _col(Integer, null=False)
    state: str = _col(null=False)
    created_at: datetime = _time(null=False)
    resolved_at: datetime | None = _time()


class _Projection(_Table):
    """What every projected row has: where it came from and which version of it is shown."""

    stream_id: int = _key(BigInteger)
    source_id: str = _key()
    version: int = _col(Integer, null=False)
    batch_id: int = _col(BigInteger, null=False)


class Event(_Projection, table=True):
    """One record of an events API, typed."""

    __tablename__ = "events"
    occurred_at: datetime | None = _time()
    type: str | None = _col()
    name: str | None = _col()
    actor_id: str | None = _col()
    session_id: str | None = _col()
    properties: Any = _col(JSON, null=False)
    search: Any = _col(TSVECTOR, null=False)


class Interaction(_Projection, table=True):
    """One message between people. Unique per (user, source, source_id) as in A1.18: the stream
    stands for the source, because one user may have two accounts of the same kind."""

    __tablename__ = "interactions"
    source: str = _col(null=False)
    kind: str = _col(null=False)
    occurred_at: datetime | None = _time()
    direction: str | None = _col()
    thread_id: str | None = _col()
    message_id: str | None = _col()
    from_name: str | None = _col()
    from_address: str | None = _col()
    to_addresses: list[str] = _col(ARRAY(Text), null=False)
    cc_addresses: list[str] = _col(ARRAY(Text), null=False)
    subject: str | None = _col()
    body: str = _col(null=False)
    labels: list[str] = _col(ARRAY(Text), null=False)
    attachments: list[str] = _col(ARRAY(Text), null=False)
    search: Any = _col(TSVECTOR)


class CalendarEvent(_Projection, table=True):
    """One event of a calendar, or one changed occurrence of a series. Whole days begin at 00:00
    UTC; ends are exclusive; `recurrence` is kept as written and not expanded."""

    __tablename__ = "calendar_events"
    uid: str | None = _col()
    recurrence_id: str | None = _col()
    occurred_at: datetime | None = _time()
    ends_at: datetime | None = _time()
    all_day: bool = _col(Boolean, null=False)
    title: str | None = _col()
    location: str | None = _col()
    description: str | None = _col()
    organizer: str | None = _col()
    attendees: list[str] = _col(ARRAY(Text), null=False)
    status: str | None = _col()
    recurrence: str | None = _col()
    search: Any = _col(TSVECTOR)


class Worker(_Table, table=True):
    """One process that runs jobs. Alive while it holds the advisory lock of its slot."""

    __tablename__ = "workers"
    executor_id: str = _key()
    slot: int = _col(Integer, null=False)
    started_at: datetime = _time(null=False)
    dead_at: datetime | None = _time()
