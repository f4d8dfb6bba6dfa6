"""Connections that are due: one job each, whoever looks."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from threading import Barrier
from typing import TYPE_CHECKING, Any

import pytest

from headrace.engine import schedule
from headrace.store import connections
from headrace.store.database import Database

if TYPE_CHECKING:
    from tests.engine.conftest import Bench

ENGINES = 4


@pytest.fixture
def engines(url: str) -> Iterator[list[Database]]:
    """The pools of four engines."""
    with ExitStack() as stack:
        made = [Database(url, name=f"engine {n}", connections=2).open() for n in range(ENGINES)]
        for one in made:
            stack.callback(one.close)
        yield made


def due(bench: Bench, name: str, *, seconds: int | None = 900, ago: float = 1) -> dict[str, Any]:
    """A connection that is to be synced every so often, and was due a moment ago."""
    row = bench.connect(name)
    with bench.database.transaction() as session:
        connections.every(session, row["connection_id"], seconds)
    at(bench, row, ago)
    return row


def at(bench: Bench, row: dict[str, Any], ago: float = 1) -> None:
    """Have it been due so many seconds ago."""
    with bench.database.connection() as session:
        session.execute(
            "UPDATE headrace.schedules SET next_at = now() - make_interval(secs => %s)"
            " WHERE connection_id = %s",
            [ago, row["connection_id"]],
        )


def jobs_of(bench: Bench) -> dict[str, int]:
    """How many jobs each connection has had, by its name."""
    rows = bench.rows(
        "SELECT c.name, count(*) AS jobs FROM headrace.jobs j"
        " JOIN headrace.connections c USING (tenant_id, connection_id) GROUP BY c.name"
    )
    return {row["name"]: row["jobs"] for row in rows}


def look(bench: Bench) -> int:
    """How many one look has found due."""
    return schedule.enqueue_due(bench.database)


@pytest.mark.usefixtures("probe")
def test_each_gets_one_job_from_four_engines(bench: Bench, engines: list[Database]) -> None:
    """Covers A0.5, A0.22: they look at the same moment, and share out what is due."""
    names = [f"c{n:03}" for n in range(250)]
    for name in names:
        due(bench, name)
    together = Barrier(ENGINES)

    def look_with(database: Database) -> None:
        together.wait(30)
        schedule.catch_up(database)

    with ThreadPoolExecutor(ENGINES) as threads:
        list(threads.map(look_with, engines))
    assert jobs_of(bench) == dict.fromkeys(names, 1)
    [next_] = bench.rows(
        "SELECT min(next_at - now()) AS first, max(next_at - now()) AS last FROM headrace.schedules"
    )
    assert 390 < next_["first"].total_seconds() < next_["last"].total_seconds() < 1350


@pytest.mark.usefixtures("probe")
@pytest.mark.parametrize(
    ("health", "jobs"), [("active", 1), ("error", 1), ("paused", 0), ("needs_reauth", 0)]
)
def test_what_waits_for_a_person_is_left(bench: Bench, health: str, jobs: int) -> None:
    """Covers A0.5, O3: paused and needs_reauth; what went wrong is tried again."""
    row = due(bench, "one")
    with bench.database.connection() as session:
        connections.health(session, row["connection_id"], health)
    assert look(bench) == 1
    assert jobs_of(bench).get("one", 0) == jobs


@pytest.mark.usefixtures("probe")
def test_a_job_under_way_is_not_doubled(bench: Bench) -> None:
    """Covers A0.5: due again and again meanwhile, it has one; after its end, another."""
    row = due(bench, "one")
    job = bench.submit(row)
    for _ in range(3):
        assert look(bench) == 1
        at(bench, row)
    assert jobs_of(bench) == {"one": 1}
    with bench.database.connection() as session:
        session.execute(
            "UPDATE headrace.jobs SET status = 'SUCCEEDED', completed_at = now() WHERE job_id = %s",
            [job],
        )
    assert look(bench) == 1
    assert jobs_of(bench) == {"one": 2}


@pytest.mark.usefixtures("probe")
def test_what_was_missed_is_synced_once(bench: Bench) -> None:
    """Covers A0.5: a week in which nobody looked is no week of jobs; and not due is not due."""
    due(bench, "one", ago=604_800)
    due(bench, "later", ago=-60)
    due(bench, "when asked", seconds=None)
    schedule.catch_up(bench.database)
    schedule.catch_up(bench.database)
    assert jobs_of(bench) == {"one": 1}


@pytest.mark.usefixtures("probe")
def test_a_connection_that_cannot_be_synced_stops_no_other(bench: Bench) -> None:
    """Covers A0.5: its provider is not installed any more; the others get their jobs."""
    gone = due(bench, "gone", ago=60)
    due(bench, "one")
    with bench.database.connection() as session:
        session.execute(
            "UPDATE headrace.connections SET provider = 'gone' WHERE connection_id = %s",
            [gone["connection_id"]],
        )
    assert look(bench) == 2
    assert jobs_of(bench) == {"one": 1}
    [told] = bench.rows("SELECT * FROM headrace.connections WHERE name = 'gone'")
    assert told["health"] == "error"
    assert "There is no provider 'gone'." in told["health_reason"]


@pytest.mark.usefixtures("probe")
def test_a_pause_outlasts_the_job_under_way(bench: Bench) -> None:
    """Covers A0.5: paused in the middle of a run that fails, it is not tried again."""
    row = due(bench, "one")
    with bench.database.transaction() as session:
        connections.pause(session, row["connection_id"])
        for state in ("error", "needs_reauth", "active"):
            connections.health(session, row["connection_id"], state, "It went wrong.")
    assert look(bench) == 1
    assert jobs_of(bench) == {}
    [told] = bench.rows("SELECT health, health_reason FROM headrace.connections")
    assert told == {"health": "paused", "health_reason": "Somebody has paused it."}
    with bench.database.transaction() as session:
        connections.resume(session, row["connection_id"])
    assert look(bench) == 1
