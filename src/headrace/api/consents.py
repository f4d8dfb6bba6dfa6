"""`/api/connections/...`: an application's users connect their accounts.

POST /api/connections/connect    the address to send the user's browser to
GET  /connections/callback       where the issuer sends it back to, without a key
POST /api/connections/finish     the same for an application with a redirect address of its own
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import BaseModel, Field

from headrace.api.auth import Visitor
from headrace.api.problems import Strict
from headrace.api.shapes import Time
from headrace.dashboard import came_back, say
from headrace.dashboard.entry import signed_in
from headrace.errors import BadInput, HeadraceError, NotFound
from headrace.oauth import consent
from headrace.oauth.connect import EVERY_SECONDS, Wish
from headrace.store import connections
from headrace.store.visit import Visit
from headrace.vault import Vault

router = APIRouter(prefix="/connections", tags=["connections"])
open_router = APIRouter(tags=["connections"])

CALLBACK = "/connections/callback"


class Connect(Strict):
    """Accounts somebody is to be asked for: all providers of one issuer in one consent."""

    providers: list[str] = Field(min_length=1, max_length=10, examples=[["gmail"]])
    user_id: str | None = Field(
        None, min_length=1, max_length=255, description="Whose; for keys of a whole tenant."
    )
    config: dict[str, dict[str, Any]] = Field({}, description="By provider.")
    every_minutes: float | None = Field(
        EVERY_SECONDS / 60, ge=1, le=525_600, description="How often they are synced; null: never."
    )
    approve: bool = Field(False, description="Fetch nothing before the first sync is approved.")
    login_hint: str | None = Field(None, max_length=320, description="The account's address.")
    redirect_uri: str | None = Field(
        None, max_length=2000, description="The application's own, which then calls /finish."
    )
    return_to: str | None = Field(
        None, max_length=2000, description="Where the browser goes in the end."
    )


class Address(BaseModel):
    """Where to send the user's browser."""

    url: str
    expires_at: Time


class Finish(Strict):
    """What the issuer added to the application's redirect address."""

    state: str = Field(min_length=1, max_length=500)
    code: str | None = Field(None, max_length=4000)
    error: str | None = Field(None, max_length=500)


class Connected(BaseModel):
    """The connections that were made, and why others were not."""

    connections: list[dict[str, str]]
    refused: dict[str, str]


@router.post("/connect", status_code=201)
def connect(visitor: Visitor, wanted: Connect, request: Request) -> Address:
    """Begin: the address at the issuer, good once and for ten minutes."""
    unknown = set(wanted.config) - set(wanted.providers)
    if unknown:
        raise BadInput(
            f"There is a config for {', '.join(sorted(unknown))}, which is not asked for.",
            hint="Name it among the providers, or leave its config out.",
        )
    seconds = None if wanted.every_minutes is None else round(wanted.every_minutes * 60)
    wishes = [
        Wish(
            name,
            config=wanted.config.get(name, {}),
            every_seconds=seconds,
            approve=wanted.approve,
        )
        for name in dict.fromkeys(wanted.providers)
    ]
    asked = consent.Asked(
        wishes=wishes,
        redirect_uri=wanted.redirect_uri or _callback(visitor, request),
        return_to=_web(wanted.return_to),
        hint=wanted.login_hint,
    )
    return _begin(visitor, _user(visitor, wanted.user_id), asked)


@router.post("/{connection_id}/reconnect", status_code=201)
def reconnect(visitor: Visitor, connection_id: str, request: Request) -> Address:
    """Ask the owner of an account again, for a connection that needs it."""
    with visitor.session() as session:
        row = connections.get(session, connection_id)
    if row is None:
        raise NotFound(
            f"There is no connection {connection_id!r}.", hint="GET /api/connections lists them."
        )
    wish = Wish(row["provider"], row["name"], row["config"], keeps=True)
    asked = consent.Asked(
        wishes=[wish], redirect_uri=_callback(visitor, request), hint=row["account"]
    )
    return _begin(visitor, row["user_id"], asked)


@router.post("/finish")
def finish(visitor: Visitor, wanted: Finish) -> Connected:
    """Make the connections of a consent that came back to the application itself."""
    database, settings, caller = visitor.database, visitor.settings, visitor.caller
    vault = Vault.from_settings(settings)
    back = consent.returned(
        database, vault, wanted.state, tenant=caller.tenant, user=caller.key_user
    )
    made = consent.finish(database, vault, settings, back, code=wanted.code, error=wanted.error)
    return Connected(connections=[_told(row) for row in made.connections], refused=made.refused)


@open_router.get(CALLBACK, response_class=HTMLResponse)
def callback(
    request: Request,
    state: Annotated[str, Query(max_length=500)] = "",
    code: Annotated[str | None, Query(max_length=4000)] = None,
    error: Annotated[str | None, Query(max_length=500)] = None,
) -> Response:
    """Where the issuer sends the browser. It has no key: the state says for whom."""
    database, settings = request.app.state.database, request.app.state.settings
    return_to, pages = None, False
    try:
        vault = Vault.from_settings(settings)
        back = consent.returned(database, vault, state)
        return_to, pages = back.asked.return_to, back.asked.pages
        _same_browser(request, back)
        made = consent.finish(database, vault, settings, back, code=code, error=error)
        said = {"connected": ",".join(row["connection_id"] for row in made.connections)}
        names = ", ".join(row["name"] for row in made.connections)
        text, good = f"Connected: {names}.", True
        if made.refused:
            said["refused"] = ",".join(made.refused)
            text += f" Not connected: {', '.join(made.refused)}, which was not allowed."
    except HeadraceError as problem:
        said, text, good = {"error": problem.message}, str(problem), False
    if return_to is None:
        return came_back(text, good=good)
    if pages:
        return say(return_to, text, good=good)
    there, hash_, fragment = return_to.partition("#")
    mark = "&" if "?" in there else "?"
    return RedirectResponse(f"{there}{mark}{urlencode(said)}{hash_}{fragment}", 303)


def _same_browser(request: Request, back: consent.Returned) -> None:
    """Raises BadInput where a consent that a page began comes back in somebody else's browser."""
    if not back.asked.pages:
        return
    caller = signed_in(request)
    if caller is None or caller.tenant != back.tenant or caller.key_user not in (None, back.user):
        raise BadInput(
            "Whoever began this is not signed in in this browser.",
            hint="Nothing was connected. Sign in here, and connect from here.",
        )


def _begin(visitor: Visit, user: str, asked: consent.Asked) -> Address:
    vault = Vault.from_settings(visitor.settings)
    url = consent.begin(
        visitor.database, vault, visitor.settings, visitor.caller.tenant, user, asked
    )
    return Address(url=url, expires_at=datetime.now(UTC) + timedelta(seconds=consent.LIFETIME))


def _user(visitor: Visit, named: str | None) -> str:
    """Whose account it will be. Raises NotFound for somebody whom the key does not open."""
    caller = visitor.caller
    if named is None or named == caller.user:
        return caller.user
    if caller.key_user is not None and caller.key_user != named:
        raise NotFound(
            f"This key opens nothing of a user {named!r}.",
            hint="Leave user_id out, or use a key of the whole tenant.",
        )
    return named


def _callback(visitor: Visit, request: Request) -> str:
    """This service's own redirect address: as the operator says, or as it was called."""
    public = visitor.settings.headrace_public_url
    return f"{(public or str(request.base_url)).rstrip('/')}{CALLBACK}"


def _web(address: str | None) -> str | None:
    if address is not None and not address.startswith(("https://", "http://")):
        raise BadInput(
            "return_to is not a web address.", hint="It begins with https:// or http://."
        )
    return address


def _told(row: dict[str, Any]) -> dict[str, str]:
    return {name: row[name] for name in ("connection_id", "name", "provider", "account")}
