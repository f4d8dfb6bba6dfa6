"""Who looks: the session that a cookie names. Whoever has none is sent to sign in."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import SplitResult, quote, urlsplit

from fastapi import Depends, HTTPException, Request

from headrace.errors import Refused
from headrace.logs.about import also
from headrace.store import sessions
from headrace.store.database import Database
from headrace.store.keys import Caller
from headrace.store.visit import Visit

COOKIE = "headrace_session"
SIGN_IN = "/login"

LIVE = "/live"
"""What the address of a page's news begins with."""

_LONGEST = 2000
"""Characters of an address that a browser is sent on to."""

_HOST = "__Host-"
"""Browsers keep a cookie of such a name from every other host, and from plain http."""


def secure(request: Request) -> bool:
    """Whether the browser reached us by https: the proxy in front of us says so, or
    HEADRACE_PUBLIC_URL does, of the host that was asked for."""
    public = urlsplit(request.app.state.settings.headrace_public_url or "")
    ours = public.scheme == "https" and public.netloc == request.headers.get("Host")
    return ours or request.url.scheme == "https"


def cookie_name(request: Request) -> str:
    """What the session's cookie is called here. Cookies know hosts and no ports: with the port in
    its name, two services on one machine do not sign each other's visitors out."""
    if secure(request):
        return f"{_HOST}{COOKIE}"
    port = _host(request).port
    return f"{COOKIE}_{port}" if port else COOKIE


def look(request: Request) -> Visit:
    """Let somebody in who has a session. Raises HTTPException 303, to where one signs in."""
    caller = signed_in(request)
    if caller is None:
        expired = bool(request.cookies.get(cookie_name(request)))
        raise HTTPException(303, headers={"Location": _sign_in(request, expired=expired)})
    also(tenantId=caller.tenant, userId=caller.user)
    return Visit(caller, request.app.state.database, request.app.state.settings)


def signed_in(request: Request) -> Caller | None:
    """Who is signed in in this browser."""
    token = request.cookies.get(cookie_name(request), "")
    if not token:
        return None
    database: Database = request.app.state.database
    with database.connection() as connection:
        return sessions.accept(connection, token)


def act(request: Request) -> Visit:
    """Let somebody in who does something: only this page's own forms may. Raises Refused for what
    another site has sent, and HTTPException 303 as `look` does."""
    own_form(request)
    return look(request)


def own_form(request: Request) -> None:
    """Raises Refused for a form that another site has sent. Browsers say where a form comes from:
    by Sec-Fetch-Site, or over plain http by the origin, which must be the host that was asked."""
    site = request.headers.get("Sec-Fetch-Site")
    host, origin = request.headers.get("Host"), request.headers.get("Origin", "")
    own = bool(host) and origin in (f"http://{host}", f"https://{host}")
    if site == "same-origin" or (site is None and own):
        return
    raise Refused(
        "This was not sent by a page of this dashboard.",
        hint="Open the dashboard, and do it there.",
    )


def own_path(path: str) -> str:
    """Where to go on: a path of this service, or its first page. Browsers take a backslash for a
    slash, and leave out what is no visible character: neither is in a path of ours."""
    plain = len(path) <= _LONGEST and path.isascii() and path.isprintable() and "\\" not in path
    return path if plain and path.startswith("/") and not path.startswith("//") else "/"


def _sign_in(request: Request, *, expired: bool) -> str:
    after = "/"
    if request.method in ("GET", "HEAD"):
        # As it was sent: in a decoded path a name's own `?` would begin the questions.
        path = request.scope["raw_path"].decode("latin-1").removeprefix(LIVE)
        after = own_path(f"{path}?{request.url.query}" if request.url.query else path)
    return f"{SIGN_IN}?next={quote(after, safe='/')}" + ("&expired=1" if expired else "")


def _host(request: Request) -> SplitResult:
    """The host that was asked for; of one that is no host, nothing."""
    try:
        found = urlsplit(f"//{request.headers.get('Host', '')}")
        _ = found.port  # only here does it fail for one that is no number
    except ValueError:
        return urlsplit("")
    return found


Looking = Annotated[Visit, Depends(look)]
Acting = Annotated[Visit, Depends(act)]
