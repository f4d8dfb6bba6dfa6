"""Running a stage on a batch: read, transform, write, bury what it refuses, say it was done."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import datetime
from functools import partial
from typing import Any

import msgspec
import psycopg

from headrace.engine import handoff, state
from headrace.engine.chain import Done, finish
from headrace.engine.origin import Context, alone, context, last_run
from headrace.engine.transform import transform
from headrace.plugins import following, stages, steps
from headrace.provider import BadRecord
from headrace.stage import Batch, Made, RawEvent, Row, Stage
from headrace.store.database import Connection, Database
from headrace.store.forget import forget, forget_late, hold
from headrace.store.projection import sift, target, write_all
from headrace.store.renew import clear, forget_orphans, forget_superseded, settle_letters

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


def run_stage(
    database: Database,
    name: str,
    batch_id: int,
    *,
    isolate: bool = False,
    since: datetime | None = None,
) -> Ran:
    """Run one stage on one batch.

    Idempotent: run twice, it leaves the same rows. A record it refuses is buried alone; with
    `isolate`, so is a record that the stage fails on by a bug of its own, and one of which it
    makes what PostgreSQL cannot hold.

    Where the stage has run on the batch before, or with `since`, which says when a replay of all
    its batches in their order began, the rows are made anew: nothing older stays. Where a newer
    version of it has, this process has old code, and leaves the batch to that, but for a replay.
    """
    one = stages()[name]
    if one.takes == "batch":
        return run_whole(database, one, batch_id, since=since)
    try:
        return _run(database, one, batch_id, merge=False, isolate=isolate, since=since)
    except psycopg.errors.UniqueViolation:
        # The batch holds records that an earlier one brought, in another version.
        return _run(database, one, batch_id, merge=True, isolate=isolate, since=since)


def _run(
    database: Database,
    one: Stage,
    batch_id: int,
    *,
    merge: bool,
    isolate: bool,
    since: datetime | None,
) -> Ran:
    """A pure stage, in one transaction."""
    started = time.perf_counter()
    with database.transaction() as connection:
        origin = context(connection, batch_id)
        ran = last_run(connection, origin, batch_id, one.name)
        if ran > one.version and since is None:
            return Ran(0, origin.stream.content)
        anew = since is not None or ran > 0
        forgets = hold(
            connection, origin.keys(), alone=anew or alone(connection, origin, batch_id, one.name)
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
        if anew:
            _clear(connection, one, origin, batch_id, given)
        refused: list[tuple[Row, Exception]] = []
        if isolate:
            refused = sift(connection, partial(place, merge=True), rows)
        else:
            # A later version must find the earlier one, and it may be in this same batch.
            place(rows, merge=merge or anew or any(row.version > 1 for row in given))
        first_too = anew or RawEvent not in one.reads
        for kind in one.rows if len(one.rows) > 1 else ():
            of_kind = [row for row in rows if type(row) is kind]
            unmade = _unmade(given, of_kind, bad, first_too=first_too)
            forget(connection, [kind], origin.keys(), unmade)
        unmade = _unmade(given, rows, bad, first_too=first_too)
        forget(connection, _below(one, origin), origin.keys(), unmade)
        if origin.forgetting:
            forget(connection, _below(one, origin), origin.keys(), _gone(connection, batch_id))
        if forgets:
            forget_late(connection, one.rows, origin.keys(), rows)
        if anew:
            _clear_below(connection, one, origin, batch_id, rows, since)
        for row, error in refused:
            reason = f"PostgreSQL cannot hold what {one.name} made of it: {error}."
            hint = "Report it; retry the dead letter once the stage is mended."
            bad.append(BadRecord(b"", reason, hint, row.source_id))
            versions.append(row.version)
        written = len(rows) - len(refused)
        done = Done(len(given), written, int((time.perf_counter() - started) * 1000))
        finish(connection, one, origin, batch_id, done, bad, versions)
        if anew:
            _settle_letters(connection, one, origin, batch_id, bad)
    return Ran(written, origin.stream.content)


def _clear(
    connection: Connection,
    one: Stage,
    origin: Context,
    batch_id: int,
    given: Sequence[RawEvent | Row],
) -> None:
    """Delete what the stage has made of these before. A table that another stage of the same
    content writes too is left as it is: nobody can tell whose the rows are."""
    others = {
        row
        for step in steps(origin.stream.content)
        if step.stage is not one
        for row in step.stage.writes
    }
    tables = [row.table for row in one.rows if row not in others]
    ids = [row.source_id for row in given]
    clear(connection, tables, origin.keys(), batch_id, ids)


def _clear_below(
    connection: Connection,
    one: Stage,
    origin: Context,
    batch_id: int,
    rows: Sequence[Row],
    since: datetime | None,
) -> None:
    """Delete what nobody would make again: versions that a later one has replaced by nothing, and
    what other stages have made of rows that are no longer there."""
    own = [row.table for row in one.rows]
    ids = [row.source_id for row in rows]
    forget_superseded(connection, own, origin.keys(), batch_id, one.name, ids, since)
    below = [row.table for row in _below(one, origin) if row not in one.rows]
    forget_orphans(connection, below, origin.keys(), batch_id, own)


def _below(one: Stage, origin: Context) -> list[type[Row]]:
    """The row types of a stage, and of every stage that hangs on it."""
    after = [step.stage for step in following(origin.stream.content, one.name)]
    found = [row for stage in (one, *after) for row in (*stage.rows, *stage.by_record)]
    return list(dict.fromkeys(found))


def _settle_letters(
    connection: Connection,
    one: Stage,
    origin: Context,
    batch_id: int,
    bad: Sequence[BadRecord],
) -> None:
    refused = [str(letter.source_id) for letter in bad]
    settle_letters(connection, origin.keys(), batch_id, one.name, one.version, refused)


def run_whole(
    database: Database, one: Stage, batch_id: int, *, since: datetime | None = None
) -> Ran:
    """A stage that takes the batch itself: it works outside of any transaction, and then writes."""
    started = time.perf_counter()
    with database.connection() as connection:
        origin = context(connection, batch_id)
        ran = last_run(connection, origin, batch_id, one.name)
    if ran > one.version and since is None:
        return Ran(0, origin.stream.content)
    anew = since is not None or ran > 0

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
            settings=state.current().settings,
            read=read,
            trusted=origin.trusted,
            secret=secret,
            hold=lambda lock: held.enter_context(database.holding(lock, origin.stream_id)),
            version=one.version,
            anew=since is not None,
        )
        made: Made[Any] = one.run(batch)
        with database.transaction() as connection:
            by_itself = alone(connection, origin, batch_id, one.name)
            hold(connection, origin.keys(), alone=by_itself or anew)
            written = made.write(connection)
            done = Done(made.rows_in, written, int((time.perf_counter() - started) * 1000))
            finish(connection, one, origin, batch_id, done, made.bad, made.versions)
            if anew:
                _settle_letters(connection, one, origin, batch_id, made.bad)
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
    given: Sequence[RawEvent | Row],
    made: Sequence[Row],
    bad: Sequence[BadRecord],
    *,
    first_too: bool,
) -> list[tuple[str, int]]:
    """New versions of which nothing was made, so that nothing of the old ones may stay. One that
    was refused keeps what there was: it is a dead letter, and not an answer. Rows of other stages
    may have been others in the same version: of those, `first_too`."""
    changed = [(one.source_id, one.version) for one in given if first_too or one.version > 1]
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
