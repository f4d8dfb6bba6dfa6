"""Who looks: the session that a cookie names. Whoever has none is sent to sign in."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote, urlsplit

from fastapi import Depends, HTTPException, Request

from headrace.errors import BadInput
from headrace.logs.about import also
from headrace.store import sessions
from headrace.store.database import Database
from headrace.store.visit import Visit

COOKIE = "headrace_session"
SIGN_IN = "/login"

_HOST = "__Host-"
"""Browsers keep a cookie of such a name from every other host, and from plain http."""


def cookie_name(request: Request) -> str:
    """What the session's cookie is called here."""
    return f"{_HOST}{COOKIE}" if request.url.scheme == "https" else COOKIE


def look(request: Request) -> Visit:
    """Let somebody in who has a session. Raises HTTPException 303, to where one signs in."""
    token = request.cookies.get(cookie_name(request), "")
    database: Database = request.app.state.database
    caller = None
    if token:
        with database.connection() as connection:
            caller = sessions.accept(connection, token)
    if caller is None:
        raise HTTPException(303, headers={"Location": _sign_in(request, expired=bool(token))})
    also(tenantId=caller.tenant, userId=caller.user)
    return Visit(caller, database, request.app.state.settings)


def act(request: Request) -> Visit:
    """Let somebody in who does something: only this page's own forms may. Raises BadInput for what
    another site has sent, and HTTPException 303 as `look` does."""
    own_form(request)
    return look(request)


def own_form(request: Request) -> None:
    """Raises BadInput for a form that another site has sent. Every browser says where a form comes
    from; of those that do not, the origin must be the host that was asked."""
    site = request.headers.get("Sec-Fetch-Site")
    origin = urlsplit(request.headers.get("Origin", "")).netloc
    if site == "same-origin" or (site is None and origin == request.headers.get("Host")):
        return
    raise BadInput("This form was sent from another site.", hint="Open the dashboard itself.")


def own_path(path: str) -> str:
    """Where to go on: a path of this service, or its first page."""
    return path if path.startswith("/") and not path.startswith(("//", "/\\")) else "/"


def _sign_in(request: Request, *, expired: bool) -> str:
    after = request.url.path if request.method == "GET" else "/"
    if request.method == "GET" and request.url.query:
        after += f"?{request.url.query}"
    return f"{SIGN_IN}?next={quote(after)}" + ("&expired=1" if expired else "")


Looking = Annotated[Visit, Depends(look)]
Acting = Annotated[Visit, Depends(act)]
