"""What an action says of itself, on the page that the browser is sent to after it. In a cookie, not
in the address: nobody can send somebody else an address that says something."""

from __future__ import annotations

from urllib.parse import quote, unquote

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

_COOKIE = "headrace_said"
_SECONDS = 60
_LONGEST = 1200
"""Bytes of it: in a cookie each may take three, and browsers keep no more than 4096."""


def back(address: str, said: str) -> Response:
    """Send the browser on, and have that page say so."""
    answer = RedirectResponse(address, 303)
    text = quote(said.encode()[:_LONGEST].decode(errors="ignore"))
    answer.set_cookie(_COOKIE, text, max_age=_SECONDS, path="/", httponly=True, samesite="lax")
    return answer


def said(request: Request) -> str:
    """What the page before this one has left to say."""
    return unquote(request.cookies.get(_COOKIE, ""))


def forget(request: Request, answer: Response) -> None:
    """It is said once."""
    if _COOKIE in request.cookies:
        answer.delete_cookie(_COOKIE, path="/", httponly=True, samesite="lax")
