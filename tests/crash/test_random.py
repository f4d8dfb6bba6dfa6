"""Deaths at no point in particular: SIGKILL at a random moment, again and again."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from random import Random

from tests.crash.rounds import long_run, rounds
from tests.crash.world import World


def test_killed_at_random_moments(worlds: Callable[..., World]) -> None:
    """Covers A2.28, A2.34, A2.37, A4.16, X11: the process, or everything in its group, is killed at
    any moment from its first instruction on."""
    for number in rounds(1, 2):
        random = Random(number)
        world = worlds(total=12_000)
        for _ in range(random.randint(1, 4)):
            running = world.sync()
            time.sleep(random.uniform(0.2, 4))
            if running.kill(group=random.random() < 0.5):
                world.buried()
        world.ends()


@long_run
def test_more_deaths_than_the_engine_allows(worlds: Callable[..., World]) -> None:
    """Covers A2.34, A3.27: DBOS gives a workflow up that has been recovered a hundred times. The
    job is not given up with it: the sweeper finds that it stands still, and gives it a new turn."""
    world = worlds()
    world.dies("after-commit:2")
    world.query("UPDATE dbos.workflow_status SET recovery_attempts = 200 RETURNING 1")
    world.ends()


@long_run
def test_stopped_and_continued(worlds: Callable[..., World]) -> None:
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
