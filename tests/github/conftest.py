"""Accounts at a GitHub twin in the test's own event loop, over real HTTP and a real database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from tests.github.hub import NOW_S, Hub

from headrace.http import Clock
from headrace.providers.github import GitHub as Provider
from headrace.store.database import Database
from headrace.twin.github import GitHub, options_from
from headrace.twin.server import listening

Open = Callable[..., Awaitable[Hub]]


@pytest.fixture
def pool(engine_database: str) -> Iterator[Database]:
    """A pool of the test's own."""
    opened = Database(engine_database, name="github tests").open()
    yield opened
    opened.close()


@pytest.fixture
async def open_hub(pool: Database, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Open]:
    """`await open_hub({"kinds": ["issues"]}, issues=7)` is an account at a twin with these options.
    Its clock stands still, and is the provider's too: nobody waits, whatever the twin asks for."""
    async with AsyncExitStack() as stack:

        async def make(
            config: dict[str, Any] | None = None, *, secret: str | None = "ghp_twin", **options: Any
        ) -> Hub:
            chosen = {"frozen_s": NOW_S, "issues": 12, "repositories": 1, "commits": 5, **options}
            twin = GitHub(options_from(chosen))
            monkeypatch.setattr(Provider, "clock", clock_of(twin))
            url = await stack.enter_async_context(listening(twin.handle, 0))
            return Hub(twin, url, pool, secret=secret, **(config or {}))

        yield make


def clock_of(twin: GitHub) -> Clock:
    """The twin's clock, which moves on when somebody sleeps."""

    async def sleep(seconds: float) -> None:
        twin.clock.advance(int(seconds + 0.999))

    return Clock(wall=twin.clock.now, steady=twin.clock.now, sleep=sleep, chance=lambda: 0.5)
