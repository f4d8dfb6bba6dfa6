"""Deaths on the way up, and how soon a command that was killed is at work again."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest
from tests.crash.rounds import rounds
from tests.crash.world import World

from headrace.store import embedded

AT_WORK_SECONDS = 6.0
"""It takes less than two on a machine with nothing else to do."""


@pytest.fixture
def house() -> Iterator[Path]:
    """A home of its own for the embedded PostgreSQL, that its account can enter."""
    home = Path(tempfile.mkdtemp(prefix="headrace-crash-"))
    home.chmod(0o755)
    yield home
    for folder in home.iterdir():
        embedded.stop(folder / "postgres", force=True)
    shutil.rmtree(home, ignore_errors=True)


def test_killed_between_the_two_migrations(
    worlds: Callable[..., World], databases: Callable[..., str]
) -> None:
    """Covers A2.9, A2.34: our schema was there and the engine's was not."""
    world = worlds(total=2_000, database=databases(empty=True))
    world.sync("upgraded:1").dies("upgraded:1")
    world.tally.kills += 1
    world.ends()


def test_killed_on_a_machine_where_nothing_is_set_up(
    house: Path, worlds: Callable[..., World]
) -> None:
    """Covers A2.9, A2.34, A4.16: no DATABASE_URL. The command makes its PostgreSQL, starts it and
    migrates it, and is killed anywhere on that way and after; the server outlives it, and the last
    command stops it."""
    for number in rounds(1, 20):
        random = Random(number)
        folder = house / str(number)
        world = worlds(total=6_000, home=folder, database="")
        for _ in range(3):
            running = world.sync()
            time.sleep(random.uniform(0.3, 4))
            world.tally.kills += running.kill(group=True)
        world.sync().succeeds()
        assert embedded.status(folder / "postgres").state == "stopped"
        with embedded.postgres(folder / "postgres") as url:
            world.database = url
            world.compare(bounded=False)


def test_a_killed_command_is_soon_at_work_again(worlds: Callable[..., World]) -> None:
    """Covers A2.34: from the start of the second command to its first request, which asks for the
    page after the last that was committed (A2.16)."""
    world = worlds()
    world.dies("after-commit:2")
    asked, committed = world.source.requests(), world.landed()
    running = world.sync()
    took = world.wait(lambda: world.source.requests() > asked)
    assert world.source.asked(asked)[0].offset == committed
    assert took < AT_WORK_SECONDS
    world.tally.resumes.append(took)
    running.succeeds()
    world.compare()
