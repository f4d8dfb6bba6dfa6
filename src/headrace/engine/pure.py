"""A pure stage on a batch: what it is given, what it makes of it, and what goes, in one
transaction."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime
from functools import partial

import msgspec
import psycopg

from headrace.engine import anew, handoff
from headrace.engine.chain import Done, Ran, finish
from headrace.engine.origin import Context, alone, context, last_run
from headrace.engine.transform import Make
from headrace.plugins import made_below
from headrace.provider import BadRecord
from headrace.stage import RawEvent, Row, Stage
from headrace.store.database import Connection, Database
from headrace.store.forget import forget, forget_late, hold, look_back
from headrace.store.projection import sift, target, write_all
from headrace.store.renew import forget_superseded

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
        by_itself = again or alone(connection, origin, batch_id, one.name)
        if RawEvent in one.reads:
            # They never change: what is made of them is made while nothing is held.
            given = _landed(database, connection, batch_id)
            rows, bad, versions = make(one, given, origin.stream)
            by_itself = by_itself or _silent(one, Handled(given, rows, bad, versions))
            forgets = hold(connection, origin.keys(), alone=by_itself)
        else:
            forgets = hold(connection, origin.keys(), alone=by_itself)
            given = _made_before(connection, one, origin.tenant, batch_id)
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
        made = Handled(given, rows, bad, versions)
        take_away(connection, one, origin, batch_id, made, forgets=forgets, again=again)
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


def _made_before(
    connection: Connection, one: Stage, tenant: str, batch_id: int
) -> Sequence[RawEvent | Row]:
    """The batch's rows that other stages wrote, for a stage that is given those."""
    kinds = [kind for kind in one.reads if issubclass(kind, Row)]
    return [row for kind in kinds for row in target(kind).read(connection, tenant, batch_id)]


def _landed(database: Database, connection: Connection, batch_id: int) -> Sequence[RawEvent | Row]:
    """The batch's raw events, without those that are gone."""
    landed = handoff.take(database, batch_id)
    if landed is not None:
        return [raw for raw in landed if not raw.gone]
    with connection.cursor(row_factory=psycopg.rows.tuple_row, binary=True) as cursor:
        cursor.execute(_READ, [batch_id])
        return [RawEvent(*row) for row in cursor]


class Handled(msgspec.Struct):
    """What a stage was given, the rows it made of it, and what it refused with the versions."""

    given: Sequence[RawEvent | Row]
    rows: Sequence[Row]
    bad: Sequence[BadRecord]
    versions: Sequence[int]


def take_away(
    connection: Connection,
    one: Stage,
    origin: Context,
    batch_id: int,
    made: Handled,
    *,
    forgets: bool,
    again: bool,
) -> None:
    """Delete what was made of earlier versions of these records, where nothing is made of them any
    more; and of the rows just written, those that a later version has taken away before. `forgets`
    is what `hold` said."""
    first_too = again or RawEvent not in one.reads
    for kind in one.rows if len(one.rows) > 1 else ():
        forget(connection, [kind], origin.keys(), _unmade(made, kind=kind, first_too=first_too))
    below = made_below(origin.stream.content, one)
    forget(connection, below, origin.keys(), _unmade(made, first_too=first_too))
    if not forgets and _silent(one, made):
        look_back(connection, origin.keys())
    if origin.forgetting:
        forget(connection, below, origin.keys(), _gone(connection, batch_id))
    if forgets:
        forget_late(connection, one.rows, origin.keys(), made.rows)
    if forgets and not again and RawEvent in one.reads:
        tables, ids = [row.table for row in one.rows], [row.source_id for row in made.rows]
        forget_superseded(connection, tables, origin.keys(), batch_id, one.name, ids, None)


def _unmade(
    made: Handled, *, kind: type[Row] | None = None, first_too: bool
) -> list[tuple[str, int]]:
    """New versions of which nothing was made, or no row of that kind, so that nothing of the old
    ones may stay. One that was refused keeps what there was: it is a dead letter, and not an
    answer. Rows of other stages may have been others in the same version: of those, `first_too`."""
    changed = [(one.source_id, one.version) for one in made.given if first_too or one.version > 1]
    if not changed:
        return []
    kept = {(row.source_id, row.version) for row in made.rows if kind is None or type(row) is kind}
    kept |= {(str(one.source_id), at) for one, at in zip(made.bad, made.versions, strict=True)}
    return [one for one in changed if one not in kept]


def _silent(one: Stage, made: Handled) -> bool:
    """Whether a later version of a record says nothing where an earlier one may have: whoever comes
    to that one afterwards has to know."""
    return RawEvent in one.reads and any(
        _unmade(made, kind=kind, first_too=False) for kind in one.rows
    )


def _gone(connection: Connection, batch_id: int) -> list[tuple[str, int]]:
    rows = connection.execute(_GONE, [batch_id]).fetchall()
    return [(row["source_id"], row["version"]) for row in rows]
