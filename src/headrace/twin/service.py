"""The DataSync twin's routes: the feed itself, and what tests ask of it behind the scenes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import msgspec

from headrace.twin.faults import NotNegative, Rule
from headrace.twin.feed import Feed
from headrace.twin.ledger import LOG_LENGTH
from headrace.twin.message import Answer, Refused, Request, answer_json
from headrace.twin.options import Options
from headrace.twin.script import Script

_PATHS = {
    "observed": ("/events",),
    "documented": ("/api/v1/events",),
    "both": ("/events", "/api/v1/events"),
}


class _Revision(msgspec.Struct, forbid_unknown_fields=True):
    revision: NotNegative


class DataSync:
    """One twin. `handle` answers any request; the routes besides the feed need no key."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._feed = Feed(options)
        self._routes: dict[str, tuple[str, Callable[[Request], Awaitable[Answer]]]] = {
            "/health": ("GET", self._health),
            "/truth": ("GET", self._truth),
            "/admin/stats": ("GET", self._stats),
            "/admin/revision": ("POST", self._set_revision),
            "/admin/faults": ("POST", self._set_faults),
            **dict.fromkeys(_PATHS[options.paths], ("GET", self._feed.answer)),
        }

    async def handle(self, request: Request) -> Answer:
        """The answer to any request; never raises Refused, which is an answer too."""
        method, route = self._routes.get(request.path, ("", None))
        try:
            if route is None:
                raise Refused(404, f"There is no {request.path} here.")
            if request.method != method:
                raise Refused(405, f"{method} only.", headers={"Allow": method})
            return await route(request)
        except Refused as refused:
            return refused.answer

    async def _health(self, _request: Request) -> Answer:
        return answer_json({"status": "ok"})

    async def _truth(self, request: Request) -> Answer:
        """`from` and `to`: a range of indexes, all events unless given."""
        total = self._options.total
        start = min(_whole(request, "from", 0), total)
        stop = max(start, min(_whole(request, "to", total), total))
        # Seconds of work for millions of events: beside the loop, so that pages go on.
        return answer_json(await asyncio.to_thread(self._feed.events.truth, start, stop))

    async def _stats(self, request: Request) -> Answer:
        """`log`: how many of the latest requests to list."""
        return answer_json(self._feed.ledger.stats(_whole(request, "log", LOG_LENGTH)))

    async def _set_revision(self, request: Request) -> Answer:
        revision = request.read(_Revision).revision
        self._feed.events = msgspec.structs.replace(self._feed.events, revision=revision)
        return answer_json({"revision": revision})

    async def _set_faults(self, request: Request) -> Answer:
        """The rules replace those before them, and count requests from here."""
        rules = request.read(tuple[Rule, ...])
        self._feed.script = Script(rules, self._options.seed)
        return answer_json({"rules": len(rules)})


def _whole(request: Request, name: str, default: int) -> int:
    text = request.query.get(name)
    if text is None:
        return default
    if not text.isdecimal():
        raise Refused(400, f"{name} must be a whole number.")
    return int(text)
