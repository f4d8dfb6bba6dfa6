"""What an action says of itself, on the page that the browser is sent to after it. In a cookie, not
in the address: nobody can send somebody else an address that says something."""

from __future__ import annotations

from urllib.parse import quote, unquote

import msgspec
from fastapi import Request
from fastapi.responses import RedirectResponse, Response

_COOKIE = "headrace_said"
_SECONDS = 60
_WRONG = "!"
"""What stands before something that went wrong."""
_LONGEST = 1200
"""Bytes of it: in a cookie each may take three, and browsers keep no more than 4096."""


class Said(msgspec.Struct):
    """What is to be said, and whether it is good news."""

    text: str
    good: bool = True


def back(address: str, said: str, *, good: bool = True) -> Response:
    """Send the browser on, and have that page say so."""
    answer = RedirectResponse(address, 303)
    leave(answer, said, good=good)
    return answer


def leave(answer: Response, said: str, *, good: bool = True) -> None:
    """Have the page that comes next say so."""
    told = ("" if good else _WRONG) + said
    text = quote(told.encode()[:_LONGEST].decode(errors="ignore"))
    answer.set_cookie(_COOKIE, text, max_age=_SECONDS, path="/", httponly=True, samesite="lax")


def said(request: Request) -> Said | None:
    """What the page before this one has left to say."""
    text = unquote(request.cookies.get(_COOKIE, ""))
    return Said(text.removeprefix(_WRONG), not text.startswith(_WRONG)) if text else None


def forget(request: Request, answer: Response) -> None:
    """It is said once."""
    if _COOKIE in request.cookies:
        answer.delete_cookie(_COOKIE, path="/", httponly=True, samesite="lax")
