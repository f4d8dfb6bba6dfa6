"""Deaths at no point in particular: SIGKILL at a random moment, again and again."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from random import Random

from tests.crash.world import World


def test_killed_at_random_moments(
    worlds: Callable[..., World], rounds: Callable[[int, int], range]
) -> None:
    """Covers A2.28, A2.34, A4.16, X11: the process, or everything in its group, is killed at any
    moment from its first instruction on."""
    for number in rounds(2, 1):
        random = Random(number)
        world = worlds(total=12_000)
        for _ in range(random.randint(1, 4)):
            running = world.sync()
            time.sleep(random.uniform(0.2, 4))
            if running.kill(group=random.random() < 0.5):
                world.buried()
        world.ends()


def test_stopped_and_continued(
    worlds: Callable[..., World], rounds: Callable[[int, int], range]
) -> None:
    """Covers A2.34: a process that is frozen for a while, as by a laptop's lid, goes on."""
    for number in rounds(1, 20):
        random = Random(number)
        world = worlds(total=12_000)
        running = world.sync()
        for _ in range(3):
            time.sleep(random.uniform(0.3, 1.5))
            running.send(signal.SIGSTOP)
            time.sleep(random.uniform(0.1, 1))
            running.send(signal.SIGCONT)
        running.succeeds()
        world.compare()
