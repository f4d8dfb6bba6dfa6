"""Connecting an account: its owner is sent to the issuer and comes back with the connection."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from headrace.dashboard.entry import Acting
from headrace.dashboard.page import Look, page
from headrace.dashboard.render import page as page_of
from headrace.dashboard.said import back
from headrace.errors import HeadraceError
from headrace.oauth import consent
from headrace.oauth.connect import Wish
from headrace.plugins import providers
from headrace.store.database import Connection
from headrace.store.visit import Visit
from headrace.vault import Vault

router = APIRouter(include_in_schema=False)

CALLBACK = "/connections/callback"

_EVERY = {"15m": 900, "1h": 3600, "1d": 86_400}


@page("/connect", "connect.html", lives=False)
def connect() -> Look:
    """The kinds of accounts there are."""

    def look(session: Connection) -> dict[str, Any]:
        del session
        found = [one for one in providers().values() if one.issuer is not None]
        return {"accounts": sorted(found, key=lambda one: one.name), "every": list(_EVERY)}

    return look


@router.post("/connect")
def begin(
    request: Request,
    visitor: Acting,
    provider: Annotated[str, Form(max_length=100)],
    every: Annotated[Literal["15m", "1h", "1d"], Form()] = "15m",
    approve: Annotated[bool, Form()] = False,
) -> Response:
    """Send the browser to the issuer."""
    wish = Wish(provider, config={}, every_seconds=_EVERY[every], approve=approve)
    base = str(request.base_url)
    try:
        there = address_for(visitor, visitor.caller.user, [wish], None, base)
    except HeadraceError as error:
        return back("/connect", str(error))
    return onwards(there)


def onwards(there: str) -> Response:
    """Send the browser to another host. Not by a redirect: our policy lets no form end there."""
    answer = page_of("onwards.html", {"there": there, "host": urlsplit(there).netloc})
    answer.headers["Refresh"] = f"0; url={there}"
    return answer


def address_for(
    visitor: Visit, user: str, wishes: Sequence[Wish], account: str | None, base: str
) -> str:
    """Where to send the browser of a user for these wishes. `base` is where it reached us. Raises
    NeedsHuman where the issuer is not set up."""
    public = (visitor.settings.headrace_public_url or base).rstrip("/")
    asked = consent.Asked(
        wishes=list(wishes),
        redirect_uri=f"{public}{CALLBACK}",
        return_to=f"{public}/",
        hint=account,
        on_page=True,
    )
    vault = Vault.from_settings(visitor.settings)
    return consent.begin(
        visitor.database, vault, visitor.settings, visitor.caller.tenant, user, asked
    )
