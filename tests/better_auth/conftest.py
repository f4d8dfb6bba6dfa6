"""Applications with Better Auth's table, at a Google twin, over real HTTP and a real database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from typing import Any
from urllib.parse import parse_qsl

import pytest
from tests.better_auth.application import SECRET, Application

from headrace.store.database import Database
from headrace.twin.google import Google, options_from
from headrace.twin.message import Answer, Request, answer_json
from headrace.twin.server import listening


class Meeting:
    """A twin that answers about tokens when two have asked, so that they have met. `once` refuses a
    refresh token that was spent, as an issuer that rotates and does not end a family for that."""

    def __init__(self, google: Google, *, once: bool) -> None:
        self._google = google
        self._once = once
        self._both = asyncio.Barrier(2)
        self._spent: set[str] = set()

    async def handle(self, request: Request) -> Answer:
        """What the twin answers."""
        if request.path != "/token":
            return await self._google.handle(request)
        await self._both.wait()
        token = dict(parse_qsl(request.body.decode()))["refresh_token"]
        if self._once and token in self._spent:
            return answer_json({"error": "invalid_grant"}, status=400)
        self._spent.add(token)
        return await self._google.handle(request)


OpenApplication = Callable[..., Awaitable[Application]]


@pytest.fixture
def pool(engine_database: str) -> Iterator[Database]:
    """A pool of the test's own."""
    opened = Database(engine_database, name="better auth tests").open()
    yield opened
    opened.close()


@pytest.fixture
async def open_application(pool: Database) -> AsyncIterator[OpenApplication]:
    """`await open_application("account.sql", rotate=True)` has this table, and a twin so made."""
    async with AsyncExitStack() as stack:

        async def make(
            *files: str,
            settings: dict[str, Any] | None = None,
            meeting: bool = False,
            **options: Any,
        ) -> Application:
            google = Google(options_from({"messages": 5, "events": 0, **options}))
            once = bool(options.get("rotate"))
            handle = Meeting(google, once=once).handle if meeting else google.handle
            url = await stack.enter_async_context(listening(handle, 0))
            made = Application(
                pool, google, url, **{"better_auth_secret": SECRET, **(settings or {})}
            )
            made.migrate(*files)
            return made

        yield make


@pytest.fixture(params=["account.sql", "account.sql issuer.sql"], ids=["1.7", "issuer"])
def columns(request: pytest.FixtureRequest) -> list[str]:
    """The files that make the table of each version."""
    return str(request.param).split()
