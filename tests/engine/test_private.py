"""The engine's private names: that they exist, and do what this project needs of them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import pytest

from headrace import Page, Record
from headrace.engine import private
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
