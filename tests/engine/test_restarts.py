"""PostgreSQL itself is restarted under load, well-mannered and not: everything is finished."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import pytest
from tests.places import made_folder

from headrace.engine import gather
from headrace.engine.schema import prepare
from headrace.store import embedded
from headrace.store.database import Database
from headrace.store.embedded.cluster import Cluster

if TYPE_CHECKING:
    from tests.engine.conftest import Bench

Running = Callable[..., AbstractContextManager[Any]]


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[Cluster, str]]:
    """A PostgreSQL of these tests' own, that may be restarted, and its URL."""
    home = made_folder("restarts")
    with embedded.postgres(home / "postgres") as url:
        prepare(url)
        yield Cluster(home / "postgres"), url
    shutil.rmtree(home)


@pytest.fixture
def url(server: tuple[Cluster, str]) -> str:
    """In the place of the fixture of that name: the engine's and the tests' database."""
    return server[1]


@pytest.fixture
def pool(url: str) -> Iterator[Database]:
    """Emptied: there is one database for all tests here."""
    opened = Database(url, name="engine tests").open()
    with opened.connection() as session:
        session.execute(
            "TRUNCATE headrace.connections, headrace.streams, headrace.checkpoints,"
            " headrace.batches, headrace.raw_events, headrace.stage_runs, headrace.jobs,"
            " headrace.events, headrace.workers"
        )
        session.execute("TRUNCATE dbos.workflow_status CASCADE")
    yield opened
    opened.close()


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_restarts_under_load_lose_nothing(
    bench: Bench,
    server: tuple[Cluster, str],
    running: Running,
    mode: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Covers A2.34, A4.16, A1.1: `immediate` is a crash, with recovery from the log; jobs and
    stages."""
    monkeypatch.setattr(gather, "ROWS", 20)  # a commit a page: hardly a moment without one
    made = [
        bench.submit(bench.connect(f"c{n}", total=1_000, page=20, latency_ms=10)) for n in range(3)
    ]
    landed = "SELECT count(*) FROM headrace.raw_events"

    starts = set()

    def started() -> int:
        starts.add(bench.one("SELECT pg_postmaster_start_time()"))
        return len(starts)

    assert started() == 1
    with running(headrace_workers=16):
        for wanted in (500, 1_500):
            bench.until(lambda wanted=wanted: bench.one(landed) >= wanted)  # type: ignore[misc]
            assert server[0]._control("restart", f"--mode={mode}", seconds=60)
            bench.until(started)
        bench.settled(*made, seconds=90)
    assert started() == 3
    assert {bench.job(one)["status"] for one in made} == {"SUCCEEDED"}
    assert sorted(bench.numbers()) == sorted([(f"{n:06}", 1) for n in range(1_000)] * 3)
