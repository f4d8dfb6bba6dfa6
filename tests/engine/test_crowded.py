"""A worker in which there is no room to begin anything takes nothing: it is there for others."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy
from dbos._dbos import _get_dbos_instance
from tests.engine.fleet import fleet

from headrace.engine import private, recovery, runtime

if TYPE_CHECKING:
    from tests.engine.conftest import Bench

    from headrace.store.database import Database

Running = Callable[..., AbstractContextManager[Any]]

_STATUS = "SELECT status FROM dbos.workflow_status WHERE workflow_uuid = %s"


@contextmanager
def no_connection_of_the_engine(database: Database) -> Iterator[None]:
    engine = _get_dbos_instance()._sys_db.engine
    pool = engine.pool
    assert isinstance(pool, sqlalchemy.QueuePool)
    with ExitStack() as held:
        while pool.checkedout() < pool.size():
            held.enter_context(engine.connect())
        yield


@contextmanager
def no_connection_of_ours(database: Database) -> Iterator[None]:
    with ExitStack() as held:
        while not database.exhausted:
            held.enter_context(database.connection())
        yield


@contextmanager
def no_thread(database: Database) -> Iterator[None]:
    executor = _get_dbos_instance()._executor
    go_on = threading.Event()
    busy = [executor.submit(go_on.wait, 60) for _ in range(executor._max_workers)]
    try:
        yield
    finally:
        go_on.set()
        assert all(one.result() for one in busy)


CROWDED = (no_connection_of_the_engine, no_connection_of_ours, no_thread)


def test_what_cannot_begin_is_not_taken(
    bench: Bench, running: Running, plugin_folder: Path, tmp_path: Path
) -> None:
    """Covers A3.9, A3.27, A4.16: whatever there is no more of, what is enqueued stays on its queue,
    and begins as soon as there is room. While there is none, another worker has it at once."""
    with running(headrace_workers=2) as database, fleet(bench, plugin_folder, tmp_path) as workers:
        for crowded in CROWDED:
            with crowded(database):
                job = bench.submit(bench.connect(crowded.__name__, total=10))
                _stays(bench, job)
            bench.settled(job, seconds=10)
        with ExitStack() as held:
            for crowded in CROWDED:
                held.enter_context(crowded(database))
            other = workers.start()
            jobs = [bench.submit(bench.connect(f"elsewhere {n}", total=10)) for n in range(5)]
            bench.settled(*jobs, seconds=20)
            ran = bench.rows(
                "SELECT DISTINCT executor_id FROM dbos.workflow_status"
                " WHERE workflow_uuid = ANY(%s)",
                jobs,
            )
            assert [one["executor_id"] for one in ran] == [workers.name(other)]
    assert bench.one("SELECT max(recovery_attempts) FROM dbos.workflow_status") == 1


def _stays(bench: Bench, job: str) -> None:
    """The worker hears of it at once, and looks again and again; it does not take it."""
    until = time.monotonic() + 0.7
    while time.monotonic() < until:
        assert bench.one(_STATUS, job) == "ENQUEUED"
        time.sleep(0.02)


def test_there_is_a_thread_for_whatever_is_taken(running: Running) -> None:
    """However many jobs at a time: a stage keeps one for as long as it takes, and so do those who
    write what was fetched."""
    with running(headrace_workers=40):
        queues = sum(runtime.places(40).values())
        assert _get_dbos_instance()._executor._max_workers >= queues + 40


def test_what_was_taken_and_could_not_be_read_is_put_back(
    bench: Bench, running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL goes away between the two, for longer than the worker asks: what bears its name
    and runs nowhere goes on a moment after it is back, and the worker has waited for nothing."""
    monkeypatch.setattr(recovery, "ORPHAN_SECONDS", 3.0)
    with running(headrace_workers=2):
        own = private._own()
        cut = [threading.Event() for _ in range(2)]
        real = own.get_workflow_statuses

        def away(ids: list[str]) -> Any:
            left = next((one for one in cut if not one.is_set()), None)
            if left is None:
                return real(ids)
            left.set()
            with own.engine.connect() as connection:
                pid = connection.execute(sqlalchemy.text("SELECT pg_backend_pid()")).scalar()
                bench.rows("SELECT pg_terminate_backend(%s)", pid)
                return connection.execute(sqlalchemy.text("SELECT 1")).all()

        monkeypatch.setattr(own, "get_workflow_statuses", away)
        began = time.monotonic()
        job = bench.submit(bench.connect(total=10))
        bench.until(lambda: all(one.is_set() for one in cut), seconds=15)
        bench.settled(job, seconds=10)
        print(f"over after {time.monotonic() - began:.1f} s")
    assert bench.job(job)["status"] == "SUCCEEDED"
    assert bench.numbers() == [(f"{n:06}", 1) for n in range(10)]
