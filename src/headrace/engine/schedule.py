"""Doing what is due: each schedule when it says so (A0.5, A0.12, A0.22, A3.38).

The schedule only enqueues. When something is due stands in its row, and whoever finds it due moves
that and makes the job in one transaction, so that any number of workers make one job. A connection
whose job is still under way is not given another. What was due while nobody looked is made up for
as the schedule says: once, or each time, or not at all. One that cannot be run says why.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import psycopg
from psycopg.types.json import Jsonb

from headrace import telemetry
from headrace.cadence import learned
from headrace.cadence.learned import History
from headrace.cadence.spec import every
from headrace.cadence.times import MOST_MISSED, Beat
from headrace.crashpoints import mark
from headrace.engine import schedulable
from headrace.engine.jobs import submit_syncs
from headrace.engine.offers import ask_for
from headrace.errors import HeadraceError
from headrace.plugins import provider
from headrace.store import connections, schedules
from headrace.store.connections import ConnectionRow
from headrace.store.database import Connection, Database
from headrace.store.jobs import JobRow
from headrace.store.schedules import ScheduleRow
from headrace.store.sql import query

DUE = "EXISTS (SELECT FROM headrace.schedules WHERE NOT paused AND next_at <= now())"
"""Asked with everything else: see `engine.dispatch`."""
AT_ONCE = 100
LATE_SECONDS = 60
"""How late a run may be that is not made up for: workers look often, but not all the time."""

_LATER = Beat(every(3600))


class _Firing(msgspec.Struct):
    """A schedule that is due: for which moments it is run now, and what becomes of it."""

    row: ScheduleRow
    beat: Beat
    instants: Sequence[datetime] = ()
    left_out: int = 0
    history: History | None = None
    job_id: str | None = None
    error: tuple[str, str] | None = None


def enqueue_due(database: Database) -> int:
    """Run up to a hundred schedules that are due; how many there were."""
    made = 0
    with database.transaction() as connection:
        rows = connection.execute(query("schedules", "due"), {"limit": AT_ONCE}).fetchall()
        if not rows:
            return 0
        firings = [_firing(row) for row in rows]
        _learn(connection, [one for one in firings if one.beat.spec.learned])
        syncs = [one for one in firings if one.row["connection_id"]]
        made += _sync(connection, [one for one in syncs if not one.beat.spec.learned], ask_for)
        # Whoever learns of a sync has to know which one it was.
        made += _sync(connection, [one for one in syncs if one.beat.spec.learned], submit_syncs)
        for one in firings:
            if one.row["connection_id"] is None:
                made += _run(connection, one)
        mark("fired")
        _move(connection, firings)
    mark("moved")
    telemetry.scheduled(len(rows), made)
    for one in firings:
        if one.left_out:
            telemetry.left_out(one.row["schedule_id"], one.left_out)
    return len(rows)


def catch_up(database: Database) -> None:
    """Run everything that is due."""
    while enqueue_due(database):
        pass


def _firing(row: ScheduleRow) -> _Firing:
    """For which of the moments that are over it is run: its policy says."""
    due, now = row["next_at"].astimezone(UTC), row["now"].astimezone(UTC)
    try:
        one = _Firing(row, schedules.beat(row))
    except HeadraceError as error:  # such as a time zone that there is no more
        return _Firing(row, _LATER, error=(error.message, error.hint))
    many = row["missed"] == "all"
    one.instants = one.beat.missed(due, now, MOST_MISSED if many else 1)
    if many:
        one.left_out = one.beat.left_out(due, one.instants[0])
    elif row["missed"] == "skip" and now - one.instants[-1] > timedelta(seconds=LATE_SECONDS):
        one.instants = ()
    return one


def _learn(connection: Connection, firings: Sequence[_Firing]) -> None:
    """What the last syncs of these have found, and how often to look from now on."""
    asked = {"jobs": [one.row["last_job_id"] for one in firings if one.row["last_job_id"]]}
    if not firings:
        return
    found = connection.execute(query("schedules", "looks"), asked).fetchall()
    news = {row["job_id"]: row["news"] for row in found}
    for one in firings:
        row, spec = one.row, one.beat.spec
        assert spec.floor is not None, "it is learned"
        assert spec.ceiling is not None, "it is learned"
        one.history = msgspec.convert(row["history"] or {}, History)
        if row["last_job_id"] in news:
            one.history.add(row["last_at"].timestamp(), news[row["last_job_id"]])
        every = learned.choose(one.history, spec.floor, spec.ceiling, row["every_seconds"])
        one.beat = msgspec.structs.replace(one.beat, every=every)


def _sync(
    connection: Connection, firings: Sequence[_Firing], ask: Callable[..., list[JobRow]]
) -> int:
    """Make the syncs of connections, in one statement; how many were made at once."""
    wanted: list[tuple[ConnectionRow, str]] = []
    keys = []
    for one in firings:
        row = one.row
        if not one.instants or row["health"] not in ("active", "error"):
            continue
        try:
            wanted.append((row, provider(row["provider"]).kind))
            keys.append(schedulable.key(row, one.instants[-1]))
        except HeadraceError as error:
            said = (error.message, error.hint)
            connections.health(connection, row["connection_id"], "error", *said)
    made = ask(connection, wanted, keys=keys) if wanted else []
    jobs = {row["connection_id"]: row["job_id"] for row in made}
    for one in firings:
        one.job_id = jobs.get(one.row["connection_id"])
    return len(made)


def _run(connection: Connection, one: _Firing) -> int:
    """Make the jobs of any other schedule. That one of them cannot be made stops no other."""
    made = 0
    for instant in one.instants:
        try:
            with connection.transaction():
                jobs = schedulable.run(connection, one.row, instant)
        except psycopg.OperationalError:
            raise
        except HeadraceError as error:
            one.error = (error.message, error.hint)
            break
        except Exception as error:  # noqa: BLE001 - it must not hold up the others
            telemetry.bug(f"schedule {one.row['schedule_id']}", error)
            one.error = ("Its job could not be made.", "The log says more; it is tried again.")
            break
        made += len(jobs)
        one.job_id = jobs[-1]["job_id"] if jobs else one.job_id
    return made


def _move(connection: Connection, firings: Sequence[_Firing]) -> None:
    """Say of each when it is due next."""
    moved = [_moved(one) for one in firings]
    connection.execute(
        query("schedules", "move"), {name: [row[name] for row in moved] for name in moved[0]}
    )


def _moved(one: _Firing) -> dict[str, Any]:
    row, now = one.row, one.row["now"].astimezone(UTC)
    return {
        "tenants": row["tenant_id"],
        "ids": row["schedule_id"],
        "nexts": one.beat.next(row["next_at"].astimezone(UTC), now),
        "lasts": one.instants[-1] if one.instants else row["last_at"],
        "everys": row["every_seconds"] if one.history is None else one.beat.seconds,
        "histories": None if one.history is None else Jsonb(msgspec.to_builtins(one.history)),
        "left_outs": one.left_out,
        "errors": one.error and one.error[0],
        "hints": one.error and one.error[1],
        "jobs": one.job_id,
    }
