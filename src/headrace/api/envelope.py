"""What every exchange is wrapped in: a request id, a cap on the body, headers, and an answer even
where the code has a bug."""

from __future__ import annotations

import re
import time
import uuid

from fastapi import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from headrace import dashboard, telemetry
from headrace.api.problems import SEND_LESS, problem, too_large
from headrace.files.place import MOST_BYTES
from headrace.logs.about import about
from headrace.out.metrics.answered import Answered

MAX_BODY = 1 << 20
"""Bytes of a request's body; of an upload they are those of the largest file."""

UPLOADS = "/ingestion/uploads/"
"""What the paths of uploads begin with."""

_ID = re.compile(r"[\w.:-]{1,128}", re.ASCII)

# Answers hold people's mail: nobody on the way may keep them, no browser may take them for a page.
_HEADERS = [
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
]


class Envelope:
    """ASGI middleware. An X-Request-ID that the caller sends is kept, if it looks like one."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one exchange."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        sent = dict(scope["headers"])
        given = sent.get(b"x-request-id", b"").decode("latin-1")
        request_id = given if _ID.fullmatch(given) else uuid.uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id
        begun = False
        began = time.monotonic()

        async def answer(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                _note(scope, message["status"], time.monotonic() - began)
                taken = {name for name, _ in message["headers"]}
                more = [(b"x-request-id", request_id.encode()), *_HEADERS]
                message["headers"] = [
                    *message["headers"],
                    *[pair for pair in more if pair[0] not in taken],
                ]
            await send(message)

        with about(requestId=request_id):
            try:
                most = _most(scope)
                length = sent.get(b"content-length", b"0")
                if length.isdigit() and int(length) > most:
                    refused = problem(scope, 413, too_large(most), SEND_LESS)
                    await refused(scope, receive, answer)
                else:
                    await self._app(scope, _capped(receive, most), answer)
            except Exception as error:
                telemetry.bug(dashboard.logged(scope["path"]), error)
                if begun:
                    raise  # too late for another answer: the connection is cut
                failed = problem(scope, 500, _BUG, "Report it with the request id.")
                await failed(scope, receive, answer)


_BUG = "Something went wrong here that should not have; it has been logged."


def _note(scope: Scope, status: int, seconds: float) -> None:
    answered: Answered = scope["app"].state.answered
    answered.note(scope["method"], _route(scope), status, seconds)


def _route(scope: Scope) -> str:
    """As the program writes it, without what the caller has put in; what no route was found for,
    together."""
    if "route" not in scope:
        return "none"
    # The route itself knows its path in its own router only.
    whole = scope.get("fastapi", {}).get("effective_route_context", scope["route"])
    return str(getattr(whole, "path", "other"))


def _most(scope: Scope) -> int:
    upload = scope["method"] == "PUT" and scope["path"].startswith(UPLOADS)
    return MOST_BYTES if upload else MAX_BODY


def _capped(receive: Receive, most: int) -> Receive:
    """For bodies that do not say how long they are: not a piece is asked for beyond the cap."""
    arrived = 0

    async def counting() -> Message:
        nonlocal arrived
        message = await receive()
        arrived += len(message.get("body", b""))
        if arrived > most:
            raise HTTPException(413, too_large(most))
        return message

    return counting
