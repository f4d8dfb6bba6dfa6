"""Running a stage on a batch: read, transform, write, bury what it refuses, say it was done."""

from __future__ import annotations

import time
from contextlib import ExitStack
from functools import partial
from typing import Any

import psycopg

from headrace.engine import handoff, state
from headrace.engine.alone import transform_alone
from headrace.engine.chain import Done, finish
from headrace.engine.origin import context
from headrace.engine.transform import Make, transform
from headrace.errors import NeedsHuman
from headrace.plugins import stages
from headrace.provider import BadRecord
from headrace.stage import Batch, Made, RawEvent, Row, Stage
from headrace.store.database import Connection, Database
from headrace.store.forget import forget, forget_late, hold
from headrace.store.projection import sift, write

ATTEMPTS = 5

DEATHS = 2
"""Processes that have ended while they ran a batch, after which it is run in a child process: one
may have been killed by anybody."""

_READ = """
SELECT source_id, version, occurred_at, payload, content_hash = '' AS gone
FROM headrace.raw_events WHERE batch_id = %s
"""


def run_stage(
    database: Database, name: str, batch_id: int, *, isolate: bool = False, deaths: int = 0
) -> int:
    """Run one stage on one batch. Returns the rows written.

    Idempotent: run twice, it leaves the same rows. A record it refuses is buried alone; with
    `isolate`, so is a record that the stage fails on by a bug of its own, and one of which it
    makes what PostgreSQL cannot hold. After so many `deaths` of processes that ran it before, so is
    one that the stage dies of. Raises NeedsHuman where that cannot be told: in a stage that takes
    the batch itself.
    """
    one = stages()[name]
    if one.writes is None:
        if deaths >= ATTEMPTS:
            raise NeedsHuman(
                f"{deaths} processes have ended while they ran it.",
                hint="Look for crashes and want of memory in their logs.",
            )
        return run_whole(database, one, batch_id)
    made: Make = partial(transform, isolate=isolate)
    if deaths >= DEATHS:
        made, isolate = transform_alone, True
    try:
        return _run(database, one, batch_id, made, merge=False, isolate=isolate)
    except psycopg.errors.UniqueViolation:
        # The batch holds records that an earlier one brought, in another version.
        return _run(database, one, batch_id, made, merge=True, isolate=isolate)


def _run(
    database: Database,
    one: Stage,
    batch_id: int,
    made: Make,
    *,
    merge: bool,
    isolate: bool,
) -> int:
    """A pure stage, in one transaction. `made` is what it makes of raw events."""
    started = time.perf_counter()
    assert one.writes is not None, "stages that take the batch are run elsewhere"
    with database.transaction() as connection:
        origin = context(connection, batch_id)
        forgets = hold(connection, origin.keys(), forgetting=origin.forgetting)
        raws = handoff.take(database, batch_id) or _read(connection, batch_id)
        there = [raw for raw in raws if not raw.gone] if origin.forgetting else raws
        rows, bad, versions = made(one, there, origin.stream)
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
        if origin.forgetting:
            forget(connection, one.writes, origin.keys(), [raw for raw in raws if raw.gone])
        if forgets:
            forget_late(connection, one.writes, origin.keys(), rows)
        for row, error in refused:
            reason = f"PostgreSQL cannot hold what {one.name} made of it: {error}."
            hint = "Report it; retry the dead letter once the stage is mended."
            bad.append(BadRecord(b"", reason, hint, row.source_id))
            versions.append(row.version)
        written = len(rows) - len(refused)
        done = Done(len(raws), written, int((time.perf_counter() - started) * 1000))
        finish(connection, one, origin, batch_id, done, bad, versions)
    return written


def run_whole(database: Database, one: Stage, batch_id: int) -> int:
    """A stage that takes the batch itself: it works outside of any transaction, and then writes."""
    started = time.perf_counter()
    with database.connection() as connection:
        origin = context(connection, batch_id)

    def read(statement: str, values: dict[str, Any]) -> list[dict[str, Any]]:
        with database.connection() as connection:
            return connection.execute(statement, values).fetchall()

    def secret() -> str | None:
        sealed, vault = origin.credential, state.current().vault
        owner = {"tenant": origin.tenant, "connection": origin.connection_id}
        return None if sealed is None else vault.open(sealed, **owner)

    with ExitStack() as held:
        batch = Batch(
            batch_id=batch_id,
            tenant=origin.tenant,
            user=origin.user,
            stream_id=origin.stream_id,
            job_id=origin.job_id,
            stream=origin.stream,
            settings=state.current().settings,
            read=read,
            trusted=origin.trusted,
            secret=secret,
            hold=lambda lock: held.enter_context(database.holding(lock, origin.stream_id)),
        )
        made: Made = one.run(batch)
        with database.transaction() as connection:
            hold(connection, origin.keys(), forgetting=origin.forgetting)
            written = made.write(connection)
            done = Done(made.rows_in, written, int((time.perf_counter() - started) * 1000))
            finish(connection, one, origin, batch_id, done, made.bad, made.versions)
    return written


def _read(connection: Connection, batch_id: int) -> list[RawEvent]:
    with connection.cursor(row_factory=psycopg.rows.tuple_row, binary=True) as cursor:
        cursor.execute(_READ, [batch_id])
        return [RawEvent(*row) for row in cursor]


def give_up(database: Database, name: str, batch_id: int, error: str) -> None:
    """A stage that failed at all its attempts: the batch is a dead letter, and blocks nothing."""
    one = stages()[name]
    with database.transaction() as connection:
        origin = context(connection, batch_id)
        hint = "Mend what the reason names, then retry the dead letter: the raw rows are kept."
        letter = BadRecord(
            b"", f"The stage failed on this batch: {error}", hint, f"batch/{batch_id}"
        )
        finish(connection, one, origin, batch_id, Done(0, 0, 0, error), [letter])
