"""A worker that is told to end while it waits for an answer: the answer is not waited for."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from typing import Any

from tests.crash.world import World

DRAIN = 4.0
"""The limit of these workers. A walk has one second of it for the page that is on its way."""

SILENCES: list[dict[str, Any]] = [
    {"on": {"request": 1}, "do": {"kind": "hang"}},
    {"on": {"request": 8}, "do": {"kind": "delay", "ms": 60_000}},
    {"on": {"request": 15}, "do": {"kind": "drip", "every_ms": 5_000}},
]
"""No answer ever; an answer after a minute; one byte of it every five seconds."""


def test_told_to_end_while_the_source_says_nothing(worlds: Callable[..., World]) -> None:
    """Covers A2.34, A2.41, A4.16: SIGTERM at the first page, in the middle and near the end. The
    worker ends within its limit with 0, the job is at once in the other one's hands, in the same
    turn, and no record is landed twice; no death is counted."""
    world = worlds(total=2_000, page=100, faults=SILENCES)
    settings = {"HEADRACE_DRAIN_SECONDS": str(DRAIN)}
    working = world.commands.start("worker", **settings)
    world.submit()
    for silence in SILENCES:
        number = silence["on"]["request"]
        world.wait(lambda: world.source.requests() >= number)  # noqa: B023 - called at once
        other = world.commands.start("worker", **settings)
        world.wait(lambda: '"started"' in other.said)  # noqa: B023
        assert world.runner() == working.pid
        time.sleep(0.1)  # it waits for the answer, and for nothing else
        told = time.monotonic()
        working.send(signal.SIGTERM)
        world.wait(lambda: world.runner() == other.pid or world.over)  # noqa: B023
        taken = time.monotonic() - told
        assert working.wait(20) == 0
        print(f"elsewhere after {taken:.2f} s, gone after {time.monotonic() - told:.2f} s")
        assert taken < DRAIN
        assert time.monotonic() - told < DRAIN + 2
        working = other
    world.wait(lambda: world.over)
    world.compare(bounded=False)
    assert world.query("SELECT status, turn, attempts FROM headrace.jobs") == [("SUCCEEDED", 1, 0)]
    assert world.query("SELECT sum(unchanged)::int FROM headrace.batches") == [(0,)]
    assert world.query("SELECT max(recovery_attempts) FROM dbos.workflow_status") == [(1,)]
