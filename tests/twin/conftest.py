"""A twin in the test's own event loop, reached over real HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from aiohttp import ClientSession, ClientTimeout

from headrace.twin.datasync import serving
from headrace.twin.options import options_from


@pytest.fixture
async def start() -> AsyncIterator[Callable[..., Awaitable[ClientSession]]]:
    """`await start(total=1_000, ...)` serves a twin with these options: a client bound to it."""
    async with AsyncExitStack() as stack:

        async def start(**options: Any) -> ClientSession:
            url = await stack.enter_async_context(serving(options_from(options)))
            client = ClientSession(url, timeout=ClientTimeout(total=30))
            return await stack.enter_async_context(client)

        yield start
