"""Mailboxes at a Google twin in the test's own event loop, over real HTTP and a real database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from tests.gmail.box import Box

from headrace.store.database import Database
from headrace.twin.google import Google, options_from
from headrace.twin.server import listening


@pytest.fixture
def pool(engine_database: str) -> Iterator[Database]:
    """A pool of the test's own."""
    opened = Database(engine_database, name="gmail tests").open()
    yield opened
    opened.close()


@pytest.fixture
async def open_box(pool: Database) -> AsyncIterator[Callable[..., Awaitable[Box]]]:
    """`await open_box(messages=120, config={...})` is a mailbox at a twin with these options."""
    async with AsyncExitStack() as stack:

        async def make(config: dict[str, Any] | None = None, **options: Any) -> Box:
            google = Google(options_from({"messages": 120, **options}))
            url = await stack.enter_async_context(listening(google.handle, 0))
            return Box(google, url, pool, **(config or {}))

        yield make
