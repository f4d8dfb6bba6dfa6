"""The engine's private names: that they exist, and do what this project needs of them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import pytest
from dbos import DBOS
from dbos._dbos import _get_dbos_instance
from sqlalchemy import QueuePool

from headrace import Page, Record
from headrace.engine import private
from headrace.engine.queues import INTERNAL
from headrace.provider import JSON

if TYPE_CHECKING:
    from tests.engine.conftest import Bench

Running = Callable[..., AbstractContextManager[Any]]


@pytest.fixture
def held(bench: Bench, probe: Any, running: Running) -> Iterator[tuple[str, threading.Event]]:
    """A job that runs and waits for an event."""
    reached, go_on = threading.Event(), threading.Event()

    async def answer(slice_: str, cursor: JSON) -> Page:
        reached.set()
        await asyncio.to_thread(go_on.wait, 30)
        return Page([Record("a", b"1")], None, more=False)

    probe.scripts["held"] = answer
    job = bench.submit(bench.connect(script="held"))
    with running():
        assert reached.wait(30)
        yield job, go_on
        go_on.set()
        bench.settled(job)
    assert bench.job(job)["status"] == "SUCCEEDED"
    assert bench.numbers() == [("a", 1)]


def test_what_runs_is_known(bench: Bench, held: tuple[str, threading.Event]) -> None:
    assert private.running() == {held[0]}


def test_what_runs_takes_a_place_on_its_queue(held: tuple[str, threading.Event]) -> None:
    """And on no other."""
    assert held
    assert private.busy("headrace_jobs") == 1
    assert private.busy("headrace_stages") == 0


def test_nothing_is_taken_where_nothing_waits(held: tuple[str, threading.Event]) -> None:
    """From our queues, and from the engine's own, which no number bounds."""
    assert held
    jobs = DBOS.retrieve_queue("headrace_jobs")
    assert jobs is not None
    assert [private.take(one, 3) for one in (jobs, private.internal_queue())] == [0, 0]
    assert private.internal_queue().name == INTERNAL


def test_the_queues_are_asked_over_a_line_apart(held: tuple[str, threading.Event]) -> None:
    """It is one connection, and tells at once that PostgreSQL is away; for everything else the
    engine waits as it always does. Both look at the same schema."""
    assert held
    own, shared = private._own(), _get_dbos_instance()._sys_db
    assert own is private._own()
    assert own.engine.pool is not shared.engine.pool
    assert isinstance(own.engine.pool, QueuePool)
    assert own.engine.pool.size() == 1
    assert (own._retry_connection_errors, shared._retry_connection_errors) == (False, True)
    assert own.engine.get_execution_options() == shared.engine.get_execution_options()
    assert private.can_begin()


def test_the_engine_polls_nothing_by_itself(
    bench: Bench, held: tuple[str, threading.Event]
) -> None:
    """Its threads that would ask every second have ended; those that listen have not."""
    assert held

    def polls() -> set[str]:
        names = {one.name for one in threading.enumerate()}
        targets = ("queue-worker", "queue_thread", "dynamic_scheduler", "dbos-background-jobs")
        return {name for name in names if any(one in name for one in targets)}

    bench.until(lambda: not polls(), seconds=15)
    assert any("run_notification_listener" in one.name for one in threading.enumerate())


def test_what_is_due_is_moved_by_asking(bench: Bench, held: tuple[str, threading.Event]) -> None:
    """What was delayed is enqueued, what is past its deadline is cancelled; nothing else is."""
    job, _ = held
    private.cancel_timed_out()
    private.enqueue_delayed()
    status = "SELECT status FROM dbos.workflow_status WHERE workflow_uuid = %s"
    assert bench.one(status, job) == "PENDING"
    more = "SELECT dbos.enqueue_workflow('headrace.job', 'nobody''s', workflow_id => %s)"
    bench.rows(more, "delayed")
    bench.rows(more, "timed out")
    bench.rows(
        "UPDATE dbos.workflow_status SET status = 'DELAYED', delay_until_epoch_ms = 1"
        " WHERE workflow_uuid = 'delayed' RETURNING status"
    )
    bench.rows(
        "UPDATE dbos.workflow_status SET workflow_deadline_epoch_ms = 1"
        " WHERE workflow_uuid = 'timed out' RETURNING status"
    )
    private.enqueue_delayed()
    private.cancel_timed_out()
    assert bench.one(status, "delayed") == "ENQUEUED"
    assert bench.one(status, "timed out") == "CANCELLED"


def test_work_is_put_back_only_out_of_the_right_hands(
    bench: Bench, held: tuple[str, threading.Event]
) -> None:
    """Run twice at once, as after a wrong verdict: the fence lets one of them commit."""
    job, _ = held
    [row] = bench.rows("SELECT executor_id, status FROM dbos.workflow_status")
    assert row["status"] == "PENDING"
    assert not private.requeue(job, "somebody else")
    assert private.requeue(job, row["executor_id"])


def test_the_work_of_the_dead_is_put_back(bench: Bench, held: tuple[str, threading.Event]) -> None:
    """How many there were; and none the second time."""
    assert private.recover(["somebody else"]) == 0
    bench.rows("UPDATE dbos.workflow_status SET executor_id = 'dead' RETURNING executor_id")
    assert private.recover(["dead"]) == 1
    assert private.recover(["dead"]) == 0
