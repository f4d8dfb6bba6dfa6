"""Running a stage on a batch: read, transform, write, bury what it refuses, say it was done."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from typing import Any

import msgspec
import psycopg

from headrace.engine import handoff, state
from headrace.engine.chain import Done, finish
from headrace.engine.origin import alone, context
from headrace.engine.transform import transform
from headrace.plugins import stages
from headrace.provider import BadRecord
from headrace.settings import Settings
from headrace.stage import Batch, Made, RawEvent, Row, Stage
from headrace.store.database import Connection, Database
from headrace.store.forget import forget, forget_late, hold
from headrace.store.projection import sift, target, write_all

ATTEMPTS = 5

_READ = """
SELECT source_id, version, occurred_at, payload
FROM headrace.raw_events WHERE batch_id = %s AND content_hash <> ''
"""
_GONE = """
SELECT source_id, version FROM headrace.raw_events WHERE batch_id = %s AND content_hash = ''
"""


class Ran(msgspec.Struct):
    """How many rows a stage has written, and the content of its batch."""

    rows: int
    content: str


def run_stage(database: Database, name: str, batch_id: int, *, isolate: bool = False) -> Ran:
    """Run one stage on one batch.

    Idempotent: run twice, it leaves the same rows. A record it refuses is buried alone; with
    `isolate`, so is a record that the stage fails on by a bug of its own, and one of which it
    makes what PostgreSQL cannot hold.
    """
    one = stages()[name]
    if one.takes == "batch":
        return run_whole(database, one, batch_id)
    try:
        return _run(database, one, batch_id, merge=False, isolate=isolate)
    except psycopg.errors.UniqueViolation:
        # The batch holds records that an earlier one brought, in another version.
        return _run(database, one, batch_id, merge=True, isolate=isolate)


def _run(database: Database, one: Stage, batch_id: int, *, merge: bool, isolate: bool) -> Ran:
    """A pure stage, in one transaction."""
    started = time.perf_counter()
    with database.transaction() as connection:
        origin = context(connection, batch_id)
        forgets = hold(
            connection, origin.keys(), alone=alone(connection, origin, batch_id, one.name)
        )
        given = _given(database, connection, one, origin.tenant, batch_id)
        rows, bad, versions = transform(one, given, origin.stream, isolate=isolate)
        place = partial(
            write_all,
            connection,
            one.rows,
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
            place(rows, merge=merge or any(row.version > 1 for row in given))
        forget(connection, one.rows, origin.keys(), _unmade(given, rows, bad))
        if origin.forgetting:
            forget(connection, one.rows, origin.keys(), _gone(connection, batch_id))
        if forgets:
            forget_late(connection, one.rows, origin.keys(), rows)
        for row, error in refused:
            reason = f"PostgreSQL cannot hold what {one.name} made of it: {error}."
            hint = "Report it; retry the dead letter once the stage is mended."
            bad.append(BadRecord(b"", reason, hint, row.source_id))
            versions.append(row.version)
        written = len(rows) - len(refused)
        done = Done(len(given), written, int((time.perf_counter() - started) * 1000))
        finish(connection, one, origin, batch_id, done, bad, versions)
    return Ran(written, origin.stream.content)


def run_whole(
    database: Database, one: Stage, batch_id: int, settings: Settings | None = None
) -> Ran:
    """A stage that takes the batch itself: it works outside of any transaction, and then writes.
    `settings` are told it in the place of the process's own."""
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
        batch: Batch[Any] = Batch(
            batch_id=batch_id,
            tenant=origin.tenant,
            user=origin.user,
            stream_id=origin.stream_id,
            job_id=origin.job_id,
            stream=origin.stream,
            settings=settings or state.current().settings,
            read=read,
            trusted=origin.trusted,
            secret=secret,
            hold=lambda lock: held.enter_context(database.holding(lock, origin.stream_id)),
        )
        made: Made[Any] = one.run(batch)
        with database.transaction() as connection:
            by_itself = alone(connection, origin, batch_id, one.name)
            hold(connection, origin.keys(), alone=by_itself)
            written = made.write(connection)
            done = Done(made.rows_in, written, int((time.perf_counter() - started) * 1000))
            finish(connection, one, origin, batch_id, done, made.bad, made.versions)
    return Ran(written, origin.stream.content)


def _given(
    database: Database, connection: Connection, one: Stage, tenant: str, batch_id: int
) -> Sequence[RawEvent | Row]:
    """What a pure stage is given: the batch's raw events, or rows that other stages wrote."""
    if RawEvent not in one.reads:
        kinds = [kind for kind in one.reads if issubclass(kind, Row)]
        return [row for kind in kinds for row in target(kind).read(connection, tenant, batch_id)]
    landed = handoff.take(database, batch_id)
    if landed is not None:
        return [raw for raw in landed if not raw.gone]
    with connection.cursor(row_factory=psycopg.rows.tuple_row, binary=True) as cursor:
        cursor.execute(_READ, [batch_id])
        return [RawEvent(*row) for row in cursor]


def _unmade(
    given: Sequence[RawEvent | Row], made: Sequence[Row], bad: Sequence[BadRecord]
) -> list[tuple[str, int]]:
    """New versions of which nothing was made, so that nothing of the old ones may stay. One that
    was refused keeps what there was: it is a dead letter, and not an answer."""
    changed = [(one.source_id, one.version) for one in given if one.version > 1]
    if not changed:
        return []
    kept = {row.source_id for row in made} | {one.source_id for one in bad}
    return [one for one in changed if one[0] not in kept]


def _gone(connection: Connection, batch_id: int) -> list[tuple[str, int]]:
    rows = connection.execute(_GONE, [batch_id]).fetchall()
    return [(row["source_id"], row["version"]) for row in rows]


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
