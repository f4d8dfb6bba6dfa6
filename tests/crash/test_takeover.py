"""Several workers on one database: when one dies, another goes on, and nobody starts anything."""

from __future__ import annotations

import time
from collections.abc import Callable
from random import Random

from tests.crash.processes import Running
from tests.crash.rounds import long_run, rounds
from tests.crash.world import World

KILLS = 10
"""In each round: so ten in `make test` and two hundred in `make crash`."""
MOST_SECONDS = 30.0
"""A takeover takes one to two seconds, which the tally and `make bench-takeover` show; this is for
machines with much else to do, and still tells a job that nobody takes over."""


def test_another_worker_takes_over(worlds: Callable[..., World]) -> None:
    """Covers A2.34, A2.41, A4.16: of three workers the one that runs the job is killed, ten times
    in a job's life. The seconds until another one has committed are written down. A new one takes
    the place of the dead.

    Every second one keeps its process id, as if it had run on another machine: then only the lock
    that it no longer holds betrays it."""
    for number in rounds(1, 10):
        random = Random(number)
        world = worlds(total=80_000, latency_ms=15)
        workers = [world.commands.start("worker") for _ in range(3)]
        world.submit()
        kills = 0
        while kills < KILLS:
            world.wait(lambda: world.runner() is not None or world.over)  # noqa: B023 - called at once
            time.sleep(random.uniform(0.1, 0.6))
            victim = _running(world, workers)
            if victim is None:
                assert not world.over, f"the job was over after {kills} deaths"
                continue
            victim.kill(reap=kills % 2 == 0)
            ((epoch,),) = world.query("SELECT max(epoch) FROM headrace.checkpoints")
            took = world.wait(lambda: world.written_under() > epoch, MOST_SECONDS)  # noqa: B023
            world.tally.takeovers.append(took)
            world.tally.kills += 1
            kills += 1
            workers = [one for one in workers if one.running] + [world.commands.start("worker")]
        world.wait(lambda: world.over)  # noqa: B023
        world.compare(bounded=False)


def _running(world: World, workers: list[Running]) -> Running | None:
    pid = world.runner()
    return next((one for one in workers if one.pid == pid), None)


@long_run
def test_many_workers_and_many_deaths(worlds: Callable[..., World]) -> None:
    """Covers A2.34, A2.41, A2.42: four parts, three workers, and any of them dies at any moment;
    stages and job are then in different hands, and each goes on in another's."""
    for number in rounds(1, 10):
        random = Random(number)
        world = worlds(total=60_000, latency_ms=15, slices=4)
        workers = [world.commands.start("worker") for _ in range(3)]
        world.submit()
        world.wait(lambda: world.landed() > 0)  # noqa: B023
        for _ in range(4):
            time.sleep(random.uniform(0.1, 1.5))
            victim = workers.pop(random.randrange(3))
            if victim.kill():
                world.tally.kills += 1
            workers.append(world.commands.start("worker"))
        world.wait(lambda: world.over)  # noqa: B023
        world.compare(bounded=False)
