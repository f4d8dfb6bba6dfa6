"""A service that is told to end while it starts: whenever that is, it ends, soon and in order."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from random import Random

from tests.crash.processes import Running
from tests.crash.rounds import rounds
from tests.crash.world import World

SOON = 8.0
"""It takes tenths of a second, and nothing is under way that could take longer."""

COMMANDS = ("worker", "up", "api")
NOBODY = "postgresql://postgres@127.0.0.1:1/nobody"

_IN_ORDER = (0, 128 + signal.SIGTERM)
_AT_ONCE = -signal.SIGTERM


def test_told_at_any_moment_of_the_start(worlds: Callable[..., World]) -> None:
    """Covers A2.41, A4.16: SIGTERM at random moments between the first instruction and the first
    job: while modules are imported, a PostgreSQL is waited for, the engine is launched. Nobody
    lives on, and nobody says more than a sentence."""
    world = worlds(total=1)
    started = time.monotonic()
    first = _begin(world, "worker")
    world.wait(lambda: '"started"' in first.said)
    takes = time.monotonic() - started
    first.send(signal.SIGTERM)
    assert _ends(first, takes) == 0
    for number in rounds(1, 30):
        random = Random(number)
        for _ in range(4):
            moments = sorted(random.uniform(0, 1.3 * takes) for _ in COMMANDS)
            begun = time.monotonic()
            several = [
                _begin(world, command, nobody=random.random() < 0.25)
                for command in random.sample(COMMANDS, len(COMMANDS))
            ]
            for one, moment in zip(several, moments, strict=True):
                time.sleep(max(0.0, begun + moment - time.monotonic()))
                one.send(signal.SIGTERM)
            for one, moment in zip(several, moments, strict=True):
                code = _ends(one, moment)
                # Before anything of Headrace has run, the signal does what it does to any process.
                assert code in (*_IN_ORDER, _AT_ONCE), (moment, code, one.said)
                assert "Traceback" not in one.said, (moment, one.said)
        assert not world.query("SELECT * FROM headrace.workers WHERE dead_at IS NULL"), moments


def _begin(world: World, command: str, *, nobody: bool = False) -> Running:
    more = {"DATABASE_URL": NOBODY} if nobody else {}
    return world.commands.start(command, SERVICE_PORT="0", **more)


def _ends(one: Running, moment: float) -> int:
    began = time.monotonic()
    code = one.wait(SOON + 20)
    assert time.monotonic() - began < SOON, (moment, one.said)
    return code
