"""A Google twin in the test's own event loop, reached over real HTTP, every answer checked."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest
from aiohttp import ClientSession, ClientTimeout, DummyCookieJar
from tests.twin.google.visitor import Visitor

from headrace.twin.google import Google, options_from
from headrace.twin.server import listening


@pytest.fixture
async def start() -> AsyncIterator[Callable[..., Awaitable[Visitor]]]:
    """`await start(messages=100, ...)` serves a twin with these options: who visits it."""
    async with AsyncExitStack() as stack:

        async def start(**options: object) -> Visitor:
            google = Google(options_from(options))
            url = await stack.enter_async_context(listening(google.handle, 0))
            client = ClientSession(url, timeout=ClientTimeout(30), cookie_jar=DummyCookieJar())
            return Visitor(google, await stack.enter_async_context(client))

        yield start
