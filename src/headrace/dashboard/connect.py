"""Connecting an account: its owner is sent to the issuer and comes back with the connection."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from headrace.dashboard.entry import Acting, Looking
from headrace.dashboard.page import Look, page
from headrace.dashboard.render import page as page_of
from headrace.dashboard.said import back
from headrace.errors import HeadraceError
from headrace.oauth import consent
from headrace.oauth.connect import Wish
from headrace.oauth.issuers import TITLES, issuer
from headrace.plugins import providers
from headrace.settings import Settings
from headrace.store.database import Connection
from headrace.store.visit import Visit
from headrace.vault import Vault

router = APIRouter(include_in_schema=False)

CALLBACK = "/connections/callback"

_EVERY = {"15m": ("15 minutes", 900), "1h": ("hour", 3600), "1d": ("day", 86_400)}


@page("/connect", "connect.html", lives=False)
def connect(visitor: Looking) -> Look:
    """Who gives access to accounts, and to which kinds of them."""

    def look(session: Connection) -> dict[str, Any]:
        del session
        return {"issuers": _issuers(visitor.settings), "every": _EVERY}

    return look


@router.post("/connect")
def begin(
    request: Request,
    visitor: Acting,
    provider: Annotated[list[str], Form(max_length=10)] = [],  # noqa: B006 - FastAPI copies it
    every: Annotated[Literal["15m", "1h", "1d"], Form()] = "15m",
    approve: Annotated[bool, Form()] = False,
) -> Response:
    """Send the browser to the issuer: one consent for all that are ticked."""
    if not provider:
        return back("/connect", "Tick what is to be read.", good=False)
    wishes = [
        Wish(one, config={}, every_seconds=_EVERY[every][1], approve=approve) for one in provider
    ]
    base = str(request.base_url)
    try:
        there = address_for(visitor, visitor.caller.user, wishes, None, base)
    except HeadraceError as error:
        return back("/connect", str(error), good=False)
    return onwards(there)


def onwards(there: str) -> Response:
    """Send the browser to another host. Not by a redirect: our policy lets no form end there."""
    answer = page_of("onwards.html", {"there": there, "host": urlsplit(there).netloc})
    answer.headers["Refresh"] = f"0; url={there}"
    return answer


def came_back(said: str, *, good: bool) -> Response:
    """The page for somebody who was sent to an issuer by a program, and has come back here."""
    answer = page_of("came_back.html", {"text": said, "good": good}, 200 if good else 400)
    answer.headers.update({"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"})
    return answer


def address_for(
    visitor: Visit, user: str, wishes: Sequence[Wish], account: str | None, base: str
) -> str:
    """Where to send the browser of a user for these wishes. `base` is where it reached us. Raises
    BadInput where the issuer is not set up."""
    public = (visitor.settings.headrace_public_url or base).rstrip("/")
    asked = consent.Asked(
        wishes=list(wishes),
        redirect_uri=f"{public}{CALLBACK}",
        return_to=f"{public}/",
        hint=account,
        pages=True,
    )
    vault = Vault.from_settings(visitor.settings)
    return consent.begin(
        visitor.database, vault, visitor.settings, visitor.caller.tenant, user, asked
    )


def _issuers(settings: Settings) -> list[dict[str, Any]]:
    """Every issuer with its kinds of accounts; what is `lacking` where it is not set up."""
    kinds = [one for one in providers().values() if one.issuer is not None]
    kinds.sort(key=lambda one: (one.issuer or "", one.name))
    found = []
    for name, these in groupby(kinds, key=lambda one: one.issuer or ""):
        lacking = ""
        try:
            issuer(name, settings)
        except HeadraceError as error:
            lacking = str(error)
        accounts, title = [one.name for one in these], TITLES.get(name, name)
        found.append({"name": name, "title": title, "accounts": accounts, "lacking": lacking})
    return found
