"""PostgreSQL goes away while a service starts its engine: it is waited for, as one that is late."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.crash.server import Server
from tests.crash.world import World


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.remove()


def test_gone_in_the_middle_of_the_launch(server: Server, worlds: Callable[..., World]) -> None:
    """Covers A4.16: a worker before the engine's launch, and a whole service just after it. They go
    on by themselves, and do what there is to do; one that may not wait ends with 69 and a sentence.
    Whoever has begun twice is known to have ended twice."""
    world = worlds(total=1_000, database=server.database())
    start = world.commands.start
    working = start("worker", crash="registered:1:stop", HEADRACE_DATABASE_WAIT="60")
    given_up = start("worker", crash="registered:1:stop", HEADRACE_DATABASE_WAIT="0")
    serving = start("up", crash="launched:1:stop", SERVICE_PORT="0")
    for one in (working, given_up, serving):
        world.wait(lambda: _stands_still(one.pid))  # noqa: B023 - called at once
    server.stop_immediately()
    world.wait(server.gone)
    for one in (working, given_up, serving):
        one.send(signal.SIGCONT)
    assert given_up.wait(30) == 69
    assert "does not answer" in given_up.said
    world.wait(lambda: "does not answer" in working.said)
    server.start()
    for one, says in ((working, '"started"'), (serving, "Headrace serves on")):
        world.wait(lambda: says in one.said)  # noqa: B023
        assert one.said.count("does not answer") <= 1, one.said
    world.submit()
    world.wait(lambda: world.over)
    for one in (working, serving):
        one.send(signal.SIGTERM)
        assert one.wait(20) == 0
        assert "Traceback" not in one.said, one.said
    assert "Traceback" not in given_up.said, given_up.said
    alive = "SELECT FROM headrace.workers WHERE dead_at IS NULL AND executor_id NOT LIKE %s"
    assert world.query(alive, f"%:{given_up.pid}:%") == []


def _stands_still(pid: int) -> bool:
    return re.search(r"\) T ", Path(f"/proc/{pid}/stat").read_text()) is not None
