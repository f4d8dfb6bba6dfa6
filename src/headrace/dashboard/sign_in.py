"""Signing in, with an API key or a link that the command line made, and out."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from headrace.dashboard.entry import SIGN_IN, cookie_name, own_form, own_path
from headrace.dashboard.render import page
from headrace.store import sessions

router = APIRouter(include_in_schema=False)

Next = Annotated[str, Query(max_length=2000)]


@router.get(SIGN_IN)
def ask(next: Next = "/", expired: bool = False) -> HTMLResponse:  # noqa: A002 - as the address says
    """Where a key is asked for."""
    said = "Your session is over: sign in again." if expired else ""
    return _form(next, said)


@router.post(SIGN_IN)
def sign_in(
    request: Request,
    key: Annotated[str, Form(max_length=512)],
    next: Annotated[str, Form(max_length=2000)] = "/",  # noqa: A002
) -> Response:
    """Open a session with a key."""
    own_form(request)
    with request.app.state.database.transaction() as connection:
        token = sessions.open_with(connection, key.strip())
    if token is None:
        return _form(next, "This API key opens nothing. It may be mistyped, or revoked.", 401)
    return _enter(request, token, own_path(next))


@router.get("/welcome/{link}")
def offer(link: str) -> HTMLResponse:
    """A link that was made for this browser. Taken up by a press: a program that only looks at
    addresses, as mail programs do, does not use it up."""
    return page("welcome.html", {"link": link})


@router.post("/welcome/{link}")
def take_up(request: Request, link: str) -> Response:
    """Open the session of a link."""
    own_form(request)
    with request.app.state.database.transaction() as connection:
        token = sessions.redeem(connection, link)
    if token is None:
        said = "This link has been used, or is too old. `headrace open` makes another one."
        return _form("/", said, 401)
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
    answer.delete_cookie(name, path="/", secure=request.url.scheme == "https", httponly=True)
    return answer


def _form(after: str, said: str, status: int = 200) -> HTMLResponse:
    return page("sign_in.html", {"next": own_path(after), "wrong": said}, status)


def _enter(request: Request, token: str, after: str) -> Response:
    answer = RedirectResponse(after, 303)
    answer.set_cookie(
        cookie_name(request),
        token,
        max_age=int(sessions.IDLE_SECONDS),
        path="/",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="lax",
    )
    return answer
