"""A page: what it shows is asked for once for a browser without scripts, and again and again, while
it is looked at, for one with them.

A view takes what the address says and gives back a `Look`, which asks the database. Its template
has a block `live`; whenever that comes out different, the browser is sent it (server-sent events).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, Response

from headrace.dashboard import render, said
from headrace.dashboard.entry import LIVE, Looking
from headrace.dashboard.entry import look as let_in
from headrace.out.live import News, Watchers
from headrace.store.database import Connection
from headrace.store.visit import Visit

Look = Callable[[Connection], dict[str, Any]]

router = APIRouter(include_in_schema=False)

_watchers = Watchers("pages", most=64, tick_seconds=1.0)
"""Further ones are read when asked for."""


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
            # What is not there is said now: later there is no other answer than to hang up.
            await asyncio.to_thread(_context, request, visitor, look)

            def seen() -> News:
                # Whoever is signed out meanwhile, or whose key is revoked, sees no more.
                found = _context(request, let_in(request), look)
                return News("live", render.region(template, found))

            return _watchers.answer(request, seen)

        router.add_api_route(path, whole, methods=["GET", "HEAD"])
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
