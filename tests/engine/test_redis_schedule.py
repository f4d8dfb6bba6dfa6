"""The schedule asks through the stream, and nothing is lost or late when Redis is."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import pytest
from tests.valkey import Valkey

from headrace.engine import offers, schedule
from headrace.engine.door import take
from headrace.redis_streams import COMPLETIONS, JOBS
from headrace.redis_streams.group import Group
from headrace.redis_streams.server import Server
from headrace.store import connections
from headrace.store.database import Database

if TYPE_CHECKING:
    from tests.engine.conftest import Bench


@pytest.fixture(autouse=True)
def via(valkey: Valkey) -> Iterator[None]:
    """The schedule asks through this Redis."""
    offers.through(Server(valkey.url))
    yield
    offers.through(None)


@pytest.fixture
def due(bench: Bench) -> dict[str, Any]:
    """A connection that is due now."""
    row = bench.connect()
    with bench.database.transaction() as session:
        connections.every(session, row["connection_id"], 900)
        session.execute("UPDATE headrace.schedules SET next_at = now() - interval '1 s'")
    return row


def jobs(bench: Bench) -> int:
    return int(bench.one("SELECT count(*) FROM headrace.jobs"))


def offered(bench: Bench) -> int:
    return int(bench.one("SELECT count(*) FROM headrace.redis_offers"))


def test_what_is_due_goes_through_the_stream(
    bench: Bench, valkey: Valkey, due: dict[str, Any]
) -> None:
    """Covers A0.12: it is there as any producer's entry, and becomes the one job."""
    assert schedule.enqueue_due(bench.database) == 1
    [entry] = valkey.entries(JOBS)
    assert entry["type"] == "probe_sync"
    assert json.loads(entry["payload"])["connectionId"] == due["connection_id"]
    assert (jobs(bench), offered(bench)) == (0, 1)
    with Server(valkey.url).client() as client:
        group = Group(client, "one")
        group.make()
        assert take(bench.database, group.new(1).entries) == []
    assert (jobs(bench), offered(bench)) == (1, 0)
    assert offers.overdue(bench.database, 0) == 0


@pytest.mark.parametrize("how", ["killed", "frozen"])
def test_while_redis_is_away_the_schedule_makes_the_job(
    bench: Bench, valkey: Valkey, due: dict[str, Any], how: str
) -> None:
    valkey.kill() if how == "killed" else valkey.freeze()
    assert schedule.enqueue_due(bench.database) == 1
    assert (jobs(bench), offered(bench)) == (1, 0)


def test_what_an_emptied_redis_has_forgotten_is_made_anyway(
    bench: Bench, valkey: Valkey, due: dict[str, Any]
) -> None:
    """It stands in PostgreSQL until its entry comes out; one that is paused meanwhile stays so."""
    schedule.enqueue_due(bench.database)
    with valkey.client() as client:
        client.flushall()
    assert offers.overdue(bench.database) == 0, "it is not late yet"
    assert (jobs(bench), offers.overdue(bench.database, 0)) == (0, 1)
    assert (jobs(bench), offered(bench)) == (1, 0)


def test_without_any_redis_everything_goes_on(
    bench: Bench,
    valkey: Valkey,
    due: dict[str, Any],
    running: Callable[..., AbstractContextManager[Database]],
) -> None:
    """Absent from the start, and for as long as it likes: jobs of the API and of the schedule are
    run, and their ends are told when it is there at last."""
    valkey.kill()
    asked = bench.submit(bench.connect("asked"))
    with running(redis_url=valkey.url, headrace_schedule_via_redis=True):
        over = "SELECT count(*) FROM headrace.jobs WHERE status = 'SUCCEEDED'"
        bench.until(lambda: bench.one(over) == 2)
        scheduled = bench.one("SELECT job_id FROM headrace.jobs WHERE job_id <> %s", asked)
        valkey.start()
        bench.until(lambda: len(valkey.entries(COMPLETIONS)) == 2)
    assert {one["job_id"] for one in valkey.entries(COMPLETIONS)} == {asked, scheduled}
