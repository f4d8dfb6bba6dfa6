"""Deaths on the way up, and how soon a command that was killed is at work again."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest

from headrace.store import embedded
from tests.crash.processes import Commands
from tests.crash.source import Source
from tests.crash.tally import Tally
from tests.crash.world import World


@pytest.fixture
def house() -> Iterator[Path]:
    """A home that PostgreSQL's account can enter, with nothing in it."""
    home = Path(tempfile.mkdtemp(prefix="headrace-crash-"))
    home.chmod(0o755)
    yield home
    embedded.stop(home / "postgres", force=True)
    shutil.rmtree(home, ignore_errors=True)


def test_killed_between_the_two_migrations(
    worlds: Callable[..., World], databases: Callable[..., str]
) -> None:
    """Covers A2.9, A2.34: our schema was there and the engine's was not."""
    world = worlds(total=2_000, database=databases(empty=True))
    world.sync("upgraded:1").dies("upgraded:1")
    world.ends()
    world.tally.kills += 1
