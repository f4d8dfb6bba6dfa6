"""The dead that come back: a frozen worker whose job was taken over must not write another row."""

from __future__ import annotations

import signal
from collections.abc import Callable

import pytest
from tests.crash.rounds import long_run
from tests.crash.world import World

FREEZES = 25.0
"""A worker that says nothing for ten seconds is taken for dead; some more for a slow machine."""


@pytest.mark.parametrize(
    "point",
    [
        "before-ack",
        pytest.param("before-commit", marks=long_run),
        pytest.param("in-conclude", marks=long_run),
        pytest.param("in-stage", marks=long_run),
    ],
)
def test_a_zombie_cannot_commit(worlds: Callable[..., World], point: str) -> None:
    """Covers A2.41, R16: frozen inside the landing transaction with the row of the checkpoint
    locked, with pages in its hands, inside the transaction that ends the job or that of a stage.
    Another worker takes over and goes on; the frozen one wakes up, and ends without having
    written."""
    world = worlds(total=12_000)
    zombie = world.commands.start("worker", crash=f"{point}:1:stop")
    world.submit()
    world.wait(lambda: _frozen(zombie.pid))
    world.tally.kills += 1
    heir = world.commands.start("worker")
    world.tally.takeovers.append(world.wait(lambda: world.runner() == heir.pid, FREEZES))
    before = world.landed()
    world.wait(lambda: world.over or world.landed() > before)
    zombie.send(signal.SIGCONT)
    assert zombie.wait(20) == 75
    world.wait(lambda: world.over)
    world.compare(bounded=False)
    epochs = [epoch for (epoch,) in world.query("SELECT epoch FROM headrace.batches ORDER BY 1")]
    assert epochs == sorted(epochs)
    assert heir.running


def _frozen(pid: int) -> bool:
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:  # noqa: PTH123 - not a real file
        return file.read().rsplit(")", 1)[1].split()[0] == "T"
