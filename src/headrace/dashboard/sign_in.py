"""Signing in, with an API key or a link that the command line made, and out."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from headrace.dashboard.entry import SIGN_IN, cookie_name, own_form, own_path, secure
from headrace.dashboard.render import page
from headrace.store import sessions

router = APIRouter(include_in_schema=False)

WELCOME = "/welcome"

USED = "This link has been used, or is too old. `headrace open` makes another one."


@router.api_route(SIGN_IN, methods=["GET", "HEAD"])
def ask(next: str = "/", expired: str = "") -> HTMLResponse:  # noqa: A002 - as the address says
    """Where a key is asked for."""
    said = "Your session is over: sign in again." if expired else ""
    return _form(next, said)


@router.post(SIGN_IN)
def sign_in(
    request: Request,
    key: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = "/",  # noqa: A002
) -> Response:
    """Open a session with a key. Wrong ones may be tried as often as one likes: a key has 256
    random bits, and where tries were counted, somebody could lock others out."""
    own_form(request)
    with request.app.state.database.transaction() as connection:
        token = sessions.open_with(connection, key.strip())
    if token is None:
        return _form(next, "This API key opens nothing. It may be mistyped, or revoked.", 401)
    return _enter(request, token, own_path(next))


@router.api_route(f"{WELCOME}/{{link}}", methods=["GET", "HEAD"])
def offer(request: Request, link: str) -> HTMLResponse:
    """A link that was made for this browser. Taken up by a press: a program that only looks at
    addresses, as mail programs do, does not use it up."""
    with request.app.state.database.connection() as connection:
        if not sessions.offered(connection, link):
            return _form("/", USED, 401)
    return page("welcome.html", {"link": link})


@router.post(WELCOME)
def take_up(request: Request, link: Annotated[str, Form()] = "") -> Response:
    """Open the session of a link. It is not in the address here, which logs may have."""
    own_form(request)
    with request.app.state.database.transaction() as connection:
        token = sessions.redeem(connection, link)
    if token is None:
        return _form("/", USED, 401)
    return _enter(request, token, "/")


@router.post("/logout")
def sign_out(request: Request) -> Response:
    """End the session."""
    own_form(request)
    name = cookie_name(request)
    if token := request.cookies.get(name):
        with request.app.state.database.transaction() as connection:
            sessions.close(connection, token)
    answer = RedirectResponse(SIGN_IN, 303)
    answer.delete_cookie(name, path="/", secure=secure(request), httponly=True, samesite="lax")
    return answer


def _form(after: str, said: str, status: int = 200) -> HTMLResponse:
    return page("sign_in.html", {"next": own_path(after), "wrong": said}, status)


def _enter(request: Request, token: str, after: str) -> Response:
    answer = RedirectResponse(after, 303)
    answer.set_cookie(
        cookie_name(request),
        token,
        max_age=int(sessions.OLDEST_SECONDS),  # that it is not used, the database knows
        path="/",
        secure=secure(request),
        httponly=True,
        samesite="lax",
    )
    return answer
