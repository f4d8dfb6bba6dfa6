"""A page: what it shows is asked for once for a browser without scripts, and again and again, while
it is looked at, for one with them.

A view takes what the address says and gives back a `Look`, which asks the database. Its template
has a block `live`; whenever that comes out different, the browser is sent it (server-sent events).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import HTMLResponse, Response, StreamingResponse

from headrace.dashboard import render, said
from headrace.dashboard.entry import Looking
from headrace.dashboard.entry import look as let_in
from headrace.errors import HeadraceError, Unavailable
from headrace.store.database import Connection
from headrace.store.visit import Visit

Look = Callable[[Connection], dict[str, Any]]

LIVE = "/live"
TICK_SECONDS = 1.0
"""Between two looks at what a page shows."""
PING_SECONDS = 15.0
"""After so long without news something is sent all the same: proxies close what is silent."""
MOST_WATCHED = 64
"""Pages that one process keeps up to date at a time; further ones are read when asked for."""

router = APIRouter(include_in_schema=False)
_watched = 0


def page(
    path: str, template: str, *, lives: bool = True
) -> Callable[[Callable[..., Look]], Callable[..., Look]]:
    """Serve what a view looks at, at this path, and where it `lives`, keep it up to date at /live
    and this path."""

    def register(view: Callable[..., Look]) -> Callable[..., Look]:
        asked = Depends(view)

        def whole(request: Request, visitor: Looking, look: Look = asked) -> HTMLResponse:
            found = {**_context(request, visitor, look), "said": said.said(request), "lives": lives}
            answer = render.page(template, found)
            said.forget(request, answer)
            return answer

        async def live(request: Request, visitor: Looking, look: Look = asked) -> Response:
            del visitor  # let in
            if _watched >= MOST_WATCHED:
                raise Unavailable("Too many pages are open.", hint="Close some of them.")
            news = _news(request, template, look)
            return StreamingResponse(news, media_type="text/event-stream")

        router.add_api_route(path, whole, methods=["GET"])
        if lives:
            router.add_api_route(f"{LIVE}{path}", live, methods=["GET"])
        return view

    return register


def plain(request: Request, visitor: Visit) -> dict[str, Any]:
    """What a page needs that is the answer to a form, and does not live."""
    path = request.url.path
    return {"path": path, "asked": "", "caller": visitor.caller, "said": None, "lives": False}


def _context(request: Request, visitor: Visit, look: Look) -> dict[str, Any]:
    with visitor.session() as session:
        found = look(session)
    path = request.url.path.removeprefix(LIVE) or "/"
    asked = f"?{request.url.query}" if request.url.query else ""
    return {"path": path, "asked": asked, "caller": visitor.caller, **found}


async def _news(request: Request, template: str, look: Look) -> AsyncIterator[bytes]:
    global _watched

    def seen() -> str:
        # Whoever is signed out meanwhile, or whose key is revoked, sees no more.
        return render.region(template, _context(request, let_in(request), look))

    _watched += 1
    try:
        yield b"retry: 2000\n\n"
        last, silent = "", 0.0
        while not request.app.state.leaving.is_set() and not await request.is_disconnected():
            try:
                now = await asyncio.to_thread(seen)
            except (HeadraceError, HTTPException):
                return  # the browser asks again, and is told why
            if now != last:
                yield b"event: live\n" + _lines(now)
                last, silent = now, 0.0
            elif silent >= PING_SECONDS:
                yield b": still here\n\n"
                silent = 0.0
            silent += TICK_SECONDS
            await asyncio.sleep(TICK_SECONDS)
    finally:
        _watched -= 1


def _lines(text: str) -> bytes:
    return "".join(f"data: {line}\n" for line in text.splitlines()).encode() + b"\n"
