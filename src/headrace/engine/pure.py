"""A pure stage on a batch: what it is given, what it makes of it, and what goes, in one
transaction."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime
from functools import partial

import psycopg

from headrace.engine import anew, handoff
from headrace.engine.chain import Done, Ran, finish
from headrace.engine.origin import alone, context, last_run
from headrace.engine.transform import Make
from headrace.plugins import made_below
from headrace.provider import BadRecord
from headrace.stage import RawEvent, Row, Stage
from headrace.store.database import Connection, Database
from headrace.store.forget import forget, forget_late, hold
from headrace.store.projection import sift, target, write_all

_READ = """
SELECT source_id, version, occurred_at, payload
FROM headrace.raw_events WHERE batch_id = %s AND content_hash <> ''
"""
_GONE = """
SELECT source_id, version FROM headrace.raw_events WHERE batch_id = %s AND content_hash = ''
"""


def run_pure(
    database: Database,
    one: Stage,
    batch_id: int,
    make: Make,
    *,
    merge: bool,
    isolate: bool,
    since: datetime | None,
) -> Ran:
    """Run it, by `make`. See `cascade.run_stage`; `merge` says that rows of its may be there."""
    started = time.perf_counter()
    with database.transaction() as connection:
        origin = context(connection, batch_id)
        ran = last_run(connection, origin, batch_id, one.name)
        if ran > one.version and since is None:
            return Ran(0, origin.stream.content)
        again = since is not None or ran > 0
        forgets = hold(
            connection, origin.keys(), alone=again or alone(connection, origin, batch_id, one.name)
        )
        given = _given(database, connection, one, origin.tenant, batch_id)
        rows, bad, versions = make(one, given, origin.stream)
        place = partial(
            write_all,
            connection,
            one.rows,
            tenant=origin.tenant,
            user=origin.user,
            stream_id=origin.stream_id,
            batch_id=batch_id,
        )
        if again:
            anew.clear_own(connection, one, origin, batch_id, given)
        refused: list[tuple[Row, Exception]] = []
        if isolate:
            refused = sift(connection, partial(place, merge=True), rows)
        else:
            # A later version must find the earlier one, and it may be in this same batch.
            place(rows, merge=merge or again or any(row.version > 1 for row in given))
        first_too = again or RawEvent not in one.reads
        for kind in one.rows if len(one.rows) > 1 else ():
            of_kind = [row for row in rows if type(row) is kind]
            unmade = _unmade(given, of_kind, bad, first_too=first_too)
            forget(connection, [kind], origin.keys(), unmade)
        below = made_below(origin.stream.content, one)
        unmade = _unmade(given, rows, bad, first_too=first_too)
        forget(connection, below, origin.keys(), unmade)
        if origin.forgetting:
            forget(connection, below, origin.keys(), _gone(connection, batch_id))
        if forgets:
            forget_late(connection, one.rows, origin.keys(), rows)
        if again:
            anew.clear_below(connection, one, origin, batch_id, rows, since)
        for row, error in refused:
            reason = f"PostgreSQL cannot hold what {one.name} made of it: {error}."
            hint = "Report it; retry the dead letter once the stage is mended."
            bad.append(BadRecord(b"", reason, hint, row.source_id))
            versions.append(row.version)
        written = len(rows) - len(refused)
        done = Done(len(given), written, int((time.perf_counter() - started) * 1000))
        finish(connection, one, origin, batch_id, done, bad, versions)
        if again:
            anew.settle(connection, one, origin, batch_id, bad)
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
