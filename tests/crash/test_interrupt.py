"""Control-C: a person stops a command, is told how to go on, and goes on."""

from __future__ import annotations

import signal
from collections.abc import Callable

from tests.crash.rounds import long_run
from tests.crash.world import World


def test_control_c_says_how_to_go_on(worlds: Callable[..., World]) -> None:
    """Covers A2.34: SIGINT in mid-walk ends the command with 130 and one sentence; the command it
    names finishes the work."""
    world = worlds()
    running = world.sync()
    world.wait(lambda: world.landed() > 0)
    running.send(signal.SIGINT)
    assert running.wait(15) == 130
    assert "everything landed so far is kept" in running.said
    assert "Go on with: headrace sync events" in running.said
    assert "Traceback" not in running.said
    world.buried()
    world.commands.start("sync", "events").succeeds()
    world.compare()


def test_control_c_at_once(worlds: Callable[..., World]) -> None:
    """Even while the command is still starting there is a sentence and no trace of Python."""
    world = worlds(total=1_000)
    running = world.sync()
    world.wait(lambda: _started(running.pid))
    running.send(signal.SIGINT)
    assert running.wait(15) == 130
    assert "Stopped." in running.said
    assert "Traceback" not in running.said
    world.ends()


@long_run
def test_sigterm_hands_a_workers_job_on(worlds: Callable[..., World]) -> None:
    """Covers A4.16: a worker that is told to end does so in order, and the next one goes on."""
    world = worlds()
    first = world.commands.start("worker")
    world.submit()
    world.wait(lambda: world.landed() > 0)
    first.send(signal.SIGTERM)
    assert first.wait(20) == 0
    world.buried()
    world.commands.start("worker")
    world.wait(lambda: world.over)
    world.compare()


def _started(pid: int) -> bool:
    """Whether the command line runs, and imports the first of what it needs."""
    with open(f"/proc/{pid}/maps", encoding="utf-8") as file:  # noqa: PTH123 - not a real file
        return "psycopg_binary" in file.read()
