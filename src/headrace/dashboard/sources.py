"""The first page: every source, how fresh it is, and what has to be done about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from headrace.dashboard.alerts import strip
from headrace.dashboard.connect import address_for, onwards
from headrace.dashboard.entry import Acting, Looking
from headrace.dashboard.page import Look, page
from headrace.dashboard.said import back
from headrace.engine.intake import submit_sync
from headrace.errors import HeadraceError, NotFound
from headrace.oauth.connect import Wish
from headrace.plugins import providers
from headrace.store import connections, schedules
from headrace.store.connections import ConnectionRow
from headrace.store.database import Connection, as_owner
from headrace.store.sql import query

router = APIRouter(include_in_schema=False)

JOBS = 20
"""Jobs that the page of one source shows, the newest first."""


@page("/", "sources.html")
def sources(visitor: Looking) -> Look:
    """All connections of the caller: those that need somebody first."""
    del visitor

    def look(session: Connection) -> dict[str, Any]:
        rows = connections.listing(session)
        rows.sort(key=lambda row: (row["health"] not in ("needs_reauth", "error"), row["name"]))
        running = session.execute(query("dashboard", "running")).fetchall()
        return {
            "sources": rows,
            "running": {row["connection_id"]: row for row in running},
            "alerts": strip(session),
        }

    return look


@page("/sources/{connection_id}", "source.html")
def source(connection_id: str) -> Look:
    """One of them: its streams, its jobs, its schedule."""

    def look(session: Connection) -> dict[str, Any]:
        row = existing(session, connection_id)
        named = {"connection_id": connection_id, "limit": JOBS}
        return {
            "source": row,
            "consents": asks_for_consent(row),
            "streams": session.execute(query("dashboard", "streams"), named).fetchall(),
            "jobs": session.execute(query("dashboard", "jobs_of"), named).fetchall(),
            "schedules": [
                schedules.shown(one) for one in schedules.listing(session, connection_id)
            ],
        }

    return look


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
        return back(f"/sources/{connection_id}", str(error))
    return onwards(there)


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
