"""Worlds: a Google twin and a database each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from tests.oauth.world import World, served

from headrace.store.database import Database

Make = Callable[..., World]


@pytest.fixture
def pool(engine_database: str) -> Iterator[Database]:
    """A pool of the test's own."""
    opened = Database(engine_database, name="oauth tests").open()
    yield opened
    opened.close()


@pytest.fixture
def make(pool: Database) -> Iterator[Make]:
    """`make(rotate=True)` is a world whose twin has these options."""
    with ExitStack() as stack:

        def made(**options: Any) -> World:
            world = World(pool, **options)
            world.url = stack.enter_context(served(world.handle))
            return world

        yield made


@pytest.fixture
def world(make: Make) -> World:
    """One whose refresh tokens are good once, and whose family ends when one is used again."""
    return make(rotate=True)
