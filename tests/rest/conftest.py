"""Small real APIs, and providers that read them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web

from headrace.http import Clock
from headrace.provider import JSON, Page
from headrace.providers.rest import Rest
from headrace.rest import parse_spec

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
START = 1_767_225_600.0  # 2026-01-01T00:00:00Z


class Api:
    """APIs on real sockets, and providers of them whose clock moves only when they sleep."""

    def __init__(self) -> None:
        self.now = START
        self.slept: list[float] = []
        self.requests: list[web.Request] = []
        self.bodies: list[bytes] = []
        self._runners: list[web.AppRunner] = []
        self._providers: list[Rest] = []

    async def serve(self, handler: Handler) -> str:
        """Serve every path with one handler; the base URL."""

        async def keep(request: web.Request) -> web.StreamResponse:
            self.requests.append(request)
            self.bodies.append(await request.read())
            return await handler(request)

        app = web.Application()
        app.router.add_route("*", "/{path:.*}", keep)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self._runners.append(runner)
        return f"http://127.0.0.1:{runner.addresses[0][1]}"

    async def always(self, body: bytes, **options: Any) -> str:
        """Serve one JSON body to everybody."""
        options = {"content_type": "application/json", **options}

        async def handler(request: web.Request) -> web.Response:
            return web.Response(body=body, **options)

        return await self.serve(handler)

    def rest(self, url: str, *, secret: str | None = None, **spec: Any) -> Rest:
        """A provider of one stream, `events`; keywords are its spec, but for `auth` and others of
        the API as a whole."""
        whole = {k: spec.pop(k) for k in ("auth", "headers", "params", "delay_ms") if k in spec}
        stream = {"path": "/events", **spec}
        made = Rest(
            parse_spec({"name": "api", "base_url": url, "streams": {"events": stream}, **whole}),
            secret=secret,
        )
        made.private_hosts = made.trusted = True
        return self.adopt(made)

    def adopt(self, made: Rest) -> Rest:
        async def sleep(seconds: float) -> None:
            self.slept.append(seconds)
            self.now += seconds

        made.clock = Clock(
            wall=lambda: self.now, steady=lambda: self.now, sleep=sleep, chance=lambda: 0.5
        )
        self._providers.append(made)
        return made

    @staticmethod
    async def walk(provider: Rest, cursor: JSON = None, slice_: str = "") -> list[Page]:
        """Every page up to the end, at most a thousand."""
        pages: list[Page] = []
        while len(pages) < 1000:
            pages.append(await provider.fetch("events", slice_, cursor))
            if not pages[-1].more:
                return pages
            cursor = pages[-1].cursor
        raise AssertionError("the walk does not end")

    async def close(self) -> None:
        for provider in self._providers:
            await provider.aclose()
        for runner in self._runners:
            await runner.cleanup()


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    api = Api()
    yield api
    await api.close()
