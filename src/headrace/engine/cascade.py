"""Running a stage on a batch: read, transform, write, bury what it refuses, say it was done."""

from __future__ import annotations

import json
import time
from functools import partial
from itertools import chain
from typing import Any

import msgspec
import psycopg

from headrace.crashpoints import mark
from headrace.engine import handoff
from headrace.engine.queues import STAGES, enqueue, stage_workflow_id
from headrace.errors import HeadraceError, Skip
from headrace.plugins import raw_stages, stages
from headrace.provider import BadRecord
from headrace.stage import RawEvent, Row, Stage, StreamContext
from headrace.store.database import Connection, Database
from headrace.store.landing import FollowUp, bury
from headrace.store.projection import sift, write

ATTEMPTS = 5

_AT_ONCE = 500
"""Rows that a stage for whole batches is given at once: so few stay in the processor's cache from
one pass over them to the next, and the pass costs a fifth less (measured)."""

_CONTEXT = """
SELECT b.tenant_id, b.user_id, b.stream_id, b.job_id, s.name AS stream, s.content, c.provider,
       c.config, c.addresses
FROM headrace.batches b
JOIN headrace.streams s USING (tenant_id, stream_id)
JOIN headrace.connections c USING (tenant_id, connection_id)
WHERE b.batch_id = %s
"""

_DONE = """
INSERT INTO headrace.stage_runs (tenant_id, user_id, batch_id, stage, version, rows_in, rows_out,
  dead_lettered, duration_ms, error)
VALUES (%(tenant)s, %(user)s, %(batch_id)s, %(stage)s, %(version)s, %(rows_in)s, %(rows_out)s,
  %(dead)s, %(ms)s, %(error)s)
ON CONFLICT (tenant_id, batch_id, stage, version) DO UPDATE
SET rows_in = excluded.rows_in, rows_out = excluded.rows_out, error = excluded.error,
    dead_lettered = excluded.dead_lettered, duration_ms = excluded.duration_ms,
    finished_at = now()
"""

_READ = "SELECT source_id, version, occurred_at, payload FROM headrace.raw_events"


class Context(msgspec.Struct):
    """A batch's owner and origin."""

    tenant: str
    user: str
    stream_id: int
    job_id: str
    stream: StreamContext

    def keys(self) -> dict[str, Any]:
        """The parameters dead letters are written with."""
        return {
            "tenant": self.tenant,
            "user": self.user,
            "stream_id": self.stream_id,
            "job_id": self.job_id,
        }


def follow_up(content: str, *, priority: str = "medium") -> FollowUp:
    """What to enqueue with every batch of this content: its first stages."""
    first = raw_stages(content)

    def write_work(connection: Connection, batch_id: int) -> None:
        for one in first:
            enqueue_stage(connection, one, batch_id, priority=priority)

    return write_work


def enqueue_stage(
    connection: Connection,
    one: Stage,
    batch_id: int,
    *,
    attempt: int = 1,
    priority: str = "medium",
    not_before: Any = None,
) -> None:
    """Enqueue a stage for a batch, in the caller's transaction; the same attempt only once."""
    enqueue(
        connection,
        "headrace.stage",
        stage_workflow_id(one.name, one.version, batch_id, attempt),
        one.name,
        batch_id,
        attempt,
        queue=STAGES,
        priority=priority,
        not_before=not_before,
    )


def context(connection: Connection, batch_id: int) -> Context:
    """Who owns a batch and where it came from."""
    row = connection.execute(_CONTEXT, [batch_id]).fetchone()
    if row is None:
        raise HeadraceError(f"There is no batch {batch_id}.")
    return Context(
        tenant=row["tenant_id"],
        user=row["user_id"],
        stream_id=row["stream_id"],
        job_id=row["job_id"],
        stream=StreamContext(
            provider=row["provider"],
            stream=row["stream"],
            content=row["content"],
            config=json.dumps(row["config"], sort_keys=True),
            addresses=frozenset(row["addresses"]),
        ),
    )


def run_stage(database: Database, name: str, batch_id: int, *, isolate: bool = False) -> int:
    """Run one stage on one batch, in one transaction. Returns the rows written.

    Idempotent: run twice, it leaves the same rows. A record it refuses is buried alone; with
    `isolate`, so is a record that the stage fails on by a bug of its own, and one of which it
    makes what PostgreSQL cannot hold.
    """
    one = stages()[name]
    try:
        return _run(database, one, batch_id, merge=False, isolate=isolate)
    except psycopg.errors.UniqueViolation:
        # The batch holds records that an earlier one brought, in another version.
        return _run(database, one, batch_id, merge=True, isolate=isolate)


def _run(database: Database, one: Stage, batch_id: int, *, merge: bool, isolate: bool) -> int:
    started = time.perf_counter()
    with database.transaction() as connection:
        origin = context(connection, batch_id)
        raws = handoff.take(database, batch_id) or _read(connection, batch_id)
        rows, bad, versions = transform(one, raws, origin.stream, isolate=isolate)
        place = partial(
            write,
            connection,
            one.writes,
            tenant=origin.tenant,
            user=origin.user,
            stream_id=origin.stream_id,
            batch_id=batch_id,
        )
        refused: list[tuple[Row, Exception]] = []
        if isolate:
            refused = sift(connection, partial(place, merge=True), rows)
        else:
            # A later version must find the earlier one, and it may be in this same batch.
            place(rows, merge=merge or any(raw.version > 1 for raw in raws))
        for row, error in refused:
            reason = f"PostgreSQL cannot hold what {one.name} made of it: {error}."
            hint = "Report it; retry the dead letter once the stage is mended."
            bad.append(BadRecord(b"", reason, hint, row.source_id))
            versions.append(row.version)
        if bad:
            bury(connection, origin.keys(), batch_id, one.name, bad, versions)
        mark("in-stage")
        connection.execute(
            _DONE,
            {
                **origin.keys(),
                "batch_id": batch_id,
                "stage": one.name,
                "version": one.version,
                "rows_in": len(raws),
                "rows_out": len(rows) - len(refused),
                "dead": len(bad),
                "ms": int((time.perf_counter() - started) * 1000),
                "error": None,
            },
        )
    return len(rows) - len(refused)


def _read(connection: Connection, batch_id: int) -> list[RawEvent]:
    with connection.cursor(row_factory=psycopg.rows.tuple_row, binary=True) as cursor:
        cursor.execute(f"{_READ} WHERE batch_id = %s", [batch_id])
        return [RawEvent(*row) for row in cursor]


def transform(
    one: Stage, raws: list[RawEvent], stream: StreamContext, *, isolate: bool = False
) -> tuple[list[Row], list[BadRecord], list[int]]:
    """The rows a stage makes of raw events, and what it refuses with the versions refused."""
    if one.whole:
        try:
            pieces = range(0, len(raws), _AT_ONCE)
            made = [one.run(raws[at : at + _AT_ONCE], stream) for at in pieces]
            return list(chain.from_iterable(made)), [], []
        except Exception:  # noqa: BLE001, S110 - whatever it is, row by row it is found or raised again
            pass
    rows: list[Row] = []
    bad: list[BadRecord] = []
    versions: list[int] = []
    for raw in raws:
        try:
            # All of them before any is taken: a record refused half way is refused as a whole.
            rows += list(one.run((raw,) if one.whole else raw, stream))
        except Skip as skip:
            # The bytes stay where they are, in raw_events: the dead letter only points there.
            bad.append(BadRecord(b"", skip.message, skip.hint, raw.source_id))
            versions.append(raw.version)
        except Exception as bug:
            if not isolate:
                raise
            reason = f"The stage {one.name} has a bug that this record meets: {bug!r}."
            hint = "Report it; retry the dead letter once the stage is mended."
            bad.append(BadRecord(b"", reason, hint, raw.source_id))
            versions.append(raw.version)
    return rows, bad, versions


def give_up(database: Database, name: str, batch_id: int, error: str) -> None:
    """A stage that failed at all its attempts: the batch is a dead letter, and blocks nothing."""
    one = stages()[name]
    with database.transaction() as connection:
        origin = context(connection, batch_id)
        hint = "Mend what the reason names, then retry the dead letter: the raw rows are kept."
        letter = BadRecord(
            b"", f"The stage failed on this batch: {error}", hint, f"batch/{batch_id}"
        )
        bury(connection, origin.keys(), batch_id, name, [letter])
        connection.execute(
            _DONE,
            {
                **origin.keys(),
                "batch_id": batch_id,
                "stage": name,
                "version": one.version,
                "rows_in": 0,
                "rows_out": 0,
                "dead": 0,
                "ms": 0,
                "error": error,
            },
        )
