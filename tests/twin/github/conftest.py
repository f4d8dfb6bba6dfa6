"""A GitHub twin in the test's own event loop, reached over real HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from aiohttp import ClientSession, ClientTimeout
from tests.twin.github.twin import NOW_S, Start, Twin, Watched

from headrace.twin.github import options_from
from headrace.twin.server import listening


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """`await start(issues=7, ...)` serves a twin with these options. Its clock stands still.

    At the end every answer it gave is asserted to be of GitHub's shape.
    """
    watched = []
    async with AsyncExitStack() as stack:

        async def start(**options: Any) -> Twin:
            github = Watched(options_from({"frozen_s": NOW_S, **options}))
            watched.append(github)
            url = await stack.enter_async_context(listening(github.handle, 0))
            client = ClientSession(timeout=ClientTimeout(total=30))
            return Twin(github, await stack.enter_async_context(client), url)

        yield start
    assert [wrong for github in watched for wrong in github.wrong] == []
