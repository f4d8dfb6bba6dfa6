"""Accounts at stand-ins that others wrote, over real HTTP and a real database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from headrace.store.database import Database


@pytest.fixture
def pool(engine_database: str) -> Iterator[Database]:
    """A pool of the test's own."""
    opened = Database(engine_database, name="stand-in tests").open()
    yield opened
    opened.close()
