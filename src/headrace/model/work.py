"""Sources, what was landed of them, and the work on it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, JSON, BigInteger, Boolean, Identity, Integer, LargeBinary, Text
from sqlalchemy.dialects.postgresql import JSONB

from headrace.model.base import ID, Table, col, key, time


class Connection(Table, table=True):
    """One account at one provider, its config, its sealed credential and its health in words.

    `trusted` ones were made by the operator: they may name environment variables and reach
    private addresses; one made by an API caller may not.
    """

    __tablename__ = "connections"
    connection_id: str = key()
    provider: str = col(null=False)
    name: str = col(null=False)
    config: dict[str, Any] = col(JSONB, null=False)
    credential: bytes | None = col(LargeBinary)
    trusted: bool = col(Boolean, null=False)
    addresses: list[str] = col(ARRAY(Text), null=False)
    health: str = col(null=False)
    health_reason: str | None = col()
    health_hint: str | None = col()
    created_at: datetime = time(null=False)
    synced_at: datetime | None = time()
    account: str | None = col()
    grant_id: str | None = col(ID)
    found_by: str | None = col(ID)


class Stream(Table, table=True):
    """One sequence inside a connection: a mailbox, a calendar, an events feed."""

    __tablename__ = "streams"
    stream_id: int = key(BigInteger, server_default=Identity(always=True))
    connection_id: str = col(ID, null=False)
    name: str = col(null=False)
    content: str = col(null=False)
    total: int | None = col(BigInteger)
    created_at: datetime = time(null=False)
    forgets: bool = col(Boolean, null=False)
    live: bool = col(Boolean, null=False)


class Mark(Table, table=True):
    """What the source said of a record that was landed, without sending it: an ETag, a size and a
    time. A record whose mark is the same is not fetched again."""

    __tablename__ = "marks"
    stream_id: int = key(BigInteger)
    source_id: str = key()
    mark: str = col(null=False)


class Seen(Table, table=True):
    """What a listing of all that a stream has, while it is under way, has named so far."""

    __tablename__ = "seen"
    stream_id: int = key(BigInteger)
    source_id: str = key()


class Checkpoint(Table, table=True):
    """How far a slice of a stream has been landed. Moves only in the transaction of its rows.

    `epoch` is the fence: a writer that does not hold the newest one cannot commit. `walk` counts
    the walks from the start; `done_by` is the job that completed the current one. What its batches
    come to is counted as they are written: how many, how many new versions of `records`, and when.
    """

    __tablename__ = "checkpoints"
    stream_id: int = key(BigInteger)
    slice: str = key()
    cursor: Any = col(JSON)
    epoch: int = col(BigInteger, null=False)
    walk: int = col(Integer, null=False)
    pages: int = col(BigInteger, null=False)
    restarts: int = col(Integer, null=False)
    high_water: datetime | None = time()
    done_by: str | None = col(ID)
    updated_at: datetime = time(null=False)
    batches: int = col(BigInteger, null=False)
    records: int = col(BigInteger, null=False)
    landed_at: datetime | None = time()


class Batch(Table, table=True):
    """What one commit landed: the unit of lineage, of stage work and of metrics. `feed` is its
    place in the feed of changes, once somebody has looked."""

    __tablename__ = "batches"
    batch_id: int = key(BigInteger, server_default=Identity(always=True))
    stream_id: int = col(BigInteger, null=False)
    slice: str = col(ID, null=False)
    walk: int = col(Integer, null=False)
    job_id: str = col(ID, null=False)
    epoch: int = col(BigInteger, null=False)
    pages: int = col(Integer, null=False)
    fetched: int = col(Integer, null=False)
    inserted: int = col(Integer, null=False)
    unchanged: int = col(Integer, null=False)
    dead_lettered: int = col(Integer, null=False)
    payload_bytes: int = col(BigInteger, null=False)
    cursor_before: Any = col(JSON)
    cursor_after: Any = col(JSON)
    cursor_hashes: bytes = col(LargeBinary, null=False)
    committed_at: datetime = time(null=False)
    feed: int | None = col(BigInteger)


class RawEvent(Table, table=True):
    """One version of one source record, verbatim: the immutable truth of everything below.

    `mends` stands in a version that a person has written in the place of one that was refused: the
    hash of what the source had sent.
    """

    __tablename__ = "raw_events"
    stream_id: int = key(BigInteger)
    source_id: str = key()
    version: int = key(Integer)
    content_hash: bytes = col(LargeBinary, null=False)
    batch_id: int = col(BigInteger, null=False)
    occurred_at: datetime | None = time()
    payload: bytes = col(LargeBinary, null=False)
    mends: bytes | None = col(LargeBinary)


class StageRun(Table, table=True):
    """That a stage, in one version of its code, has finished a batch (or given it up: `error`)."""

    __tablename__ = "stage_runs"
    batch_id: int = key(BigInteger)
    stage: str = key()
    version: int = key(Integer)
    rows_in: int = col(Integer, null=False)
    rows_out: int = col(Integer, null=False)
    dead_lettered: int = col(Integer, null=False)
    duration_ms: int = col(Integer, null=False)
    error: str | None = col()
    finished_at: datetime = time(null=False)


class Job(Table, table=True):
    """One durable unit of work a person can see, cancel and retry.

    `job_id` is the id of its first workflow; `turn` counts the workflows that carried it on after
    a pause, `attempts` those of them that failed. `lane` says what goes before what: see
    `engine.lanes`. `deadline_seconds` is how long it may take from its start, waits included,
    where somebody has said so, and `deadline_at` when that is over; `deaths` how many processes
    have ended while they ran it and nothing else that was suspected, `deaths_after` the batch that
    it had landed last by then. `error_code` is what a command
    ends with that waited for it: see `headrace.errors`. One that `waits` is on no queue, for others
    come first; `stopped_by` is the job because of which it was cancelled, where no person did it.
    """

    __tablename__ = "jobs"
    job_id: str = key()
    kind: str = col(null=False)
    connection_id: str | None = col(ID)
    payload: dict[str, Any] = col(JSONB, null=False)
    priority: str = col(null=False)
    lane: str = col(null=False)
    status: str = col(null=False)
    turn: int = col(Integer, null=False)
    attempts: int = col(Integer, null=False)
    resume_at: datetime | None = time()
    summary: dict[str, Any] | None = col(JSONB)
    last_error: str | None = col()
    hint: str | None = col()
    error_code: int | None = col(Integer)
    idempotency_key: str | None = col()
    created_at: datetime = time(null=False)
    started_at: datetime | None = time()
    completed_at: datetime | None = time()
    landed_at: datetime | None = time()
    waits: bool = col(Boolean, null=False)
    stopped_by: str | None = col(ID)
    deadline_seconds: int | None = col(Integer)
    deadline_at: datetime | None = time()
    deaths: int = col(Integer, null=False)
    deaths_after: int | None = col(BigInteger)


class JobLine(Table, table=True):
    """A line of the log that was said of a job: what happened, and the facts of it. The newest of
    each job are kept; losing one loses nothing but itself."""

    __tablename__ = "job_lines"
    job_id: str = key()
    line_id: int = key(BigInteger, server_default=Identity(always=True))
    said_at: datetime = time(null=False)
    level: str = col(null=False)
    event: str = col(null=False)
    facts: dict[str, Any] = col(JSONB, null=False)


class JobNeed(Table, table=True):
    """That a job waits for another one, `needs_job_id`: until it has succeeded, or `regardless` of
    what came of it until it is over."""

    __tablename__ = "job_needs"
    job_id: str = key()
    needs_job_id: str = key()
    regardless: bool = col(Boolean, null=False)


class DeadLetter(Table, table=True):
    """A record, batch or job that could not be processed: its bytes, why, what to do; never blocks.

    `stage` is "landing" for what never became a raw event, "job" for a job that failed, else the
    stage that refused it. `reason_group` is the reason without numbers and ids; `mended` are the
    bytes that a person has put in the place of `raw`; `history` tells what was tried, when, by
    whom, and what came of it.
    """

    __tablename__ = "dead_letters"
    dead_letter_id: int = key(BigInteger, server_default=Identity(always=True))
    stream_id: int | None = col(BigInteger)
    batch_id: int | None = col(BigInteger)
    job_id: str | None = col(ID)
    stage: str = col(null=False)
    source_id: str | None = col(ID)
    version: int | None = col(Integer)
    content_hash: bytes = col(LargeBinary, null=False)
    raw: bytes | None = col(LargeBinary)
    reason: str = col(null=False)
    hint: str = col(null=False)
    attempts: int = col(Integer, null=False)
    state: str = col(null=False)
    created_at: datetime = time(null=False)
    resolved_at: datetime | None = time()
    level: str = col(null=False)
    reason_group: str = col(null=False)
    mended: bytes | None = col(LargeBinary)
    history: list[dict[str, Any]] = col(JSONB, null=False)
    last_at: datetime = time(null=False)


class Retention(Table, table=True):
    """How far retention is with a subject: where its present pass is, when one was last complete,
    and what it has removed since the beginning, in rows and bytes."""

    __tablename__ = "retention"
    subject: str = key()
    bookmark: int = col(BigInteger, null=False)
    removed: int = col(BigInteger, null=False)
    removed_bytes: int = col(BigInteger, null=False)
    began_at: datetime = time(null=False)
    looked_at: datetime | None = time()
    passed_at: datetime | None = time()
    removed_at: datetime | None = time()


class Worker(Table, table=True):
    """One process that runs jobs. Alive while it holds the advisory lock of its slot. `version` is
    that of the workflows: it runs those that were begun in it."""

    __tablename__ = "workers"
    executor_id: str = key()
    slot: int = col(Integer, null=False)
    started_at: datetime = time(null=False)
    dead_at: datetime | None = time()
    version: str = col(null=False)


class Upload(Table, table=True):
    """A file that a caller has sent, by the name that they gave it; `size` is in bytes."""

    __tablename__ = "uploads"
    user_id: str = key()
    name: str = key()
    content: bytes = col(LargeBinary, null=False)
    size: int = col(BigInteger, null=False)
    sha256: bytes = col(LargeBinary, null=False)
    uploaded_at: datetime = time(null=False)


class QueueAlarm(Table, table=True):
    """That work waits too long on a queue, and since when that has been said."""

    __tablename__ = "queue_alarms"
    queue: str = key()
    said_at: datetime = time(null=False)
