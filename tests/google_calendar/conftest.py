"""Calendars at a Google twin in the test's own event loop, over real HTTP and a real database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from tests.google_calendar.desk import Desk

from headrace.store.database import Database
from headrace.twin.google import Google, options_from
from headrace.twin.message import Answer, Request
from headrace.twin.server import listening


@pytest.fixture
def pool(engine_database: str) -> Iterator[Database]:
    """A pool of the test's own."""
    opened = Database(engine_database, name="calendar tests").open()
    yield opened
    opened.close()


@pytest.fixture
async def open_desk(pool: Database) -> AsyncIterator[Callable[..., Awaitable[Desk]]]:
    """`await open_desk(events=68, config={...})` are calendars at a twin with these options."""
    async with AsyncExitStack() as stack:

        async def make(config: dict[str, Any] | None = None, **options: Any) -> Desk:
            google = Google(options_from({"messages": 0, **options}))
            asked: list[Request] = []

            async def handle(request: Request) -> Answer:
                asked.append(request)
                return await google.handle(request)

            url = await stack.enter_async_context(listening(handle, 0))
            return Desk(google, url, pool, asked, **(config or {}))

        yield make
