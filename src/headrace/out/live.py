"""Server-sent events: what somebody looks at, told again whenever it has changed."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable

import msgspec
import psycopg
from fastapi import HTTPException, Request
from fastapi.responses import StreamingResponse

from headrace.errors import HeadraceError, Unavailable

PING_SECONDS = 15.0
"""After so long without news something is sent all the same: proxies close what is silent."""

_LINE_END = re.compile(r"\r\n|\r|\n")


class News(msgspec.Struct):
    """What is seen at one moment, and what to call it; after the `last` there is nothing to say."""

    name: str
    text: str
    last: bool = False


class Watchers:
    """Those whom one process tells of one sort of thing: at most so many, who are `called` so."""

    def __init__(self, called: str, *, most: int, tick_seconds: float) -> None:
        self._called = called
        self._most = most
        self._tick = tick_seconds
        self._now = 0

    def answer(self, request: Request, look: Callable[[], News]) -> StreamingResponse:
        """Look again and again, and tell what is new, until the last of it, or until the service
        ends, the browser goes, or a look fails: who asks again is told why. Raises Unavailable
        where too many watch."""
        if self._now >= self._most:
            raise Unavailable(
                f"Too many {self._called} are watched at once.",
                hint="Close some of them, or ask again later.",
            )
        return StreamingResponse(self._events(request, look), media_type="text/event-stream")

    async def _events(self, request: Request, look: Callable[[], News]) -> AsyncIterator[bytes]:
        self._now += 1
        try:
            yield b"retry: 2000\n\n"
            told, silent = None, 0.0
            while not request.app.state.leaving.is_set() and not await request.is_disconnected():
                try:
                    seen = await asyncio.to_thread(look)
                except (HeadraceError, HTTPException, psycopg.OperationalError):
                    return
                if seen != told:
                    yield _bytes(seen)
                    told, silent = seen, 0.0
                elif silent >= PING_SECONDS:
                    yield b": still here\n\n"
                    silent = 0.0
                if seen.last:
                    return
                silent += self._tick
                await asyncio.sleep(self._tick)
        finally:
            self._now -= 1


def _bytes(seen: News) -> bytes:
    lines = "".join(f"data: {line}\n" for line in _LINE_END.split(seen.text))
    return f"event: {seen.name}\n{lines}\n".encode()
