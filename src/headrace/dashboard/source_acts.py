"""What is done with one source: synced, paused, resumed, previewed, connected again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from headrace.dashboard import render
from headrace.dashboard.connect import address_for, onwards
from headrace.dashboard.entry import Acting
from headrace.dashboard.page import plain
from headrace.dashboard.said import back
from headrace.dashboard.standing import waits_for_approval
from headrace.engine.intake import submit_sync
from headrace.engine.preview import preview as asked
from headrace.errors import HeadraceError, NotFound
from headrace.oauth.connect import Wish
from headrace.plugins import providers
from headrace.store import connections
from headrace.store.connections import ConnectionRow
from headrace.store.database import Connection, as_owner

router = APIRouter(include_in_schema=False)


@router.post("/sources/{connection_id}/sync")
def sync(visitor: Acting, connection_id: str) -> Response:
    """Bring it up to date now; a paused one goes on."""
    with visitor.session() as session:
        row = existing(session, connection_id)
        if row["health"] == "paused":
            with as_owner(session):
                connections.resume(session, connection_id)
        job = submit_sync(session, row)
    return back(f"/jobs/{job['job_id']}", "It is being brought up to date.")


@router.post("/sources/{connection_id}/pause")
def pause(visitor: Acting, connection_id: str) -> Response:
    """Sync it no more, until it is resumed."""
    with visitor.session() as session:
        existing(session, connection_id)
        with as_owner(session):
            connections.pause(session, connection_id)
    return back(f"/sources/{connection_id}", "It is synced no more, until it is resumed.")


@router.post("/sources/{connection_id}/resume")
def resume(visitor: Acting, connection_id: str) -> Response:
    """Sync it again."""
    with visitor.session() as session:
        existing(session, connection_id)
        with as_owner(session):
            connections.resume(session, connection_id)
    return back(f"/sources/{connection_id}", "It is synced again.")


@router.post("/sources/{connection_id}/reconnect")
def reconnect(request: Request, visitor: Acting, connection_id: str) -> Response:
    """Send its owner to the issuer, for their consent."""
    with visitor.session() as session:
        row = existing(session, connection_id)
    wish = Wish(row["provider"], row["name"], row["config"], keeps=True)
    try:
        there = address_for(visitor, row["user_id"], [wish], row["account"], str(request.base_url))
    except HeadraceError as error:
        return back(f"/sources/{connection_id}", str(error), good=False)
    return onwards(there)


@router.post("/sources/{connection_id}/preview")
def preview(request: Request, visitor: Acting, connection_id: str) -> Response:
    """Ask its source what a first sync would take. Asked for by a button, never by a look: it costs
    calls."""
    with visitor.session() as session:
        row = existing(session, connection_id)
    try:
        taken, said = asked(visitor.database, visitor.settings, row), ""
    except HeadraceError as error:
        taken, said = None, str(error)
    told = {"source": row, "taken": taken, "wrong": said, "waits": waits_for_approval(row)}
    return render.page("preview.html", {**told, **plain(request, visitor)})


def existing(session: Connection, connection_id: str) -> ConnectionRow:
    """A connection that the caller may see. Raises NotFound."""
    row = connections.get(session, connection_id)
    if row is None:
        raise NotFound("There is no such source.", hint="The first page has those there are.")
    return row


def asks_for_consent(row: Mapping[str, Any]) -> bool:
    """Whether the owner of its account connects it in a browser."""
    found = providers().get(row["provider"])
    return found is not None and found.issuer is not None
