"""PostgreSQL dies under load: the process stays, waits, and goes on; nothing is lost or doubled."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from random import Random

import pytest
from tests.crash.rounds import long_run, rounds
from tests.crash.server import Server
from tests.crash.world import World


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.remove()


def _hurt(server: Server, how: str, random: Random) -> None:
    match how:
        case "kill":
            server.kill()
            time.sleep(random.uniform(0, 1))
            server.start()
        case "immediate":
            server.stop_immediately()
            time.sleep(random.uniform(0, 1))
            server.start()
        case "terminate":
            server.terminate_all()
        case "backend":
            server.kill_a_backend(random.randrange(100))


@pytest.mark.parametrize(
    "how",
    [
        "kill",
        pytest.param("terminate", marks=long_run),
        pytest.param("immediate", marks=long_run),
        pytest.param("backend", marks=long_run),
    ],
)
def test_the_server_dies_and_the_process_goes_on(
    server: Server, worlds: Callable[..., World], how: str
) -> None:
    """Covers A2.34, A4.16, R16: SIGKILL of the postmaster, a stop without a checkpoint, every
    client thrown out, SIGKILL of a backend; each in mid-landing, and the command ends well."""
    for number in rounds(1, 20):
        random = Random(number)
        world = worlds(total=24_000, database=server.database())
        running = world.sync()
        world.wait(lambda: world.landed() > 0)  # noqa: B023 - called at once
        for _ in range(2):
            time.sleep(random.uniform(0.1, 0.8))
            _hurt(server, how, random)
            world.tally.kills += 1
        running.succeeds()
        world.compare(bounded=False)


@long_run
def test_the_server_and_the_worker_die(server: Server, worlds: Callable[..., World]) -> None:
    """Covers A2.34, A4.16: both at once, and two other workers take over what is there."""
    for number in rounds(1, 20):
        random = Random(number)
        world = worlds(total=24_000, database=server.database())
        workers = [world.commands.start("worker") for _ in range(3)]
        world.submit()
        world.wait(lambda: world.landed() > 0)  # noqa: B023
        time.sleep(random.uniform(0.1, 0.8))
        random.choice([server.kill, server.stop_immediately, server.stop_fast])()
        random.choice(workers).kill()
        world.tally.kills += 2
        server.start()
        began = time.monotonic()
        before = world.landed()
        world.wait(lambda: world.over or world.landed() > before)  # noqa: B023
        world.tally.takeovers.append(time.monotonic() - began)
        world.wait(lambda: world.over)  # noqa: B023
        world.compare(bounded=False)
        assert sum(one.running for one in workers) == 2
        world.commands.end()
