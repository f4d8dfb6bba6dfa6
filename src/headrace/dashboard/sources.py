"""The first page: every source, how fresh it is, and what has to be done about it."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any

from fastapi import Query, Request

from headrace.dashboard.alerts import strip
from headrace.dashboard.entry import Looking
from headrace.dashboard.page import Look, page
from headrace.dashboard.paging import with_asked
from headrace.dashboard.source_acts import asks_for_consent, existing
from headrace.dashboard.standing import running, standing, waits_for_approval
from headrace.store import connections, schedules
from headrace.store.database import Connection
from headrace.store.sql import query

JOBS = 20
"""Jobs that the page of one source shows, the newest first."""

MOST = 60
"""Sources that the first page shows; a part of a name, or a health, finds others."""


@page("/", "sources.html")
def sources(
    request: Request,
    visitor: Looking,
    q: Annotated[str, Query(max_length=200)] = "",
    health: Annotated[str, Query(max_length=100)] = "",
) -> Look:
    """The caller's connections: those that need somebody first."""
    part = q.strip().lower()

    def look(session: Connection) -> dict[str, Any]:
        rows = connections.listing(session)
        counts = Counter(row["health"] for row in rows)
        fitting = [
            row
            for row in rows
            if part in f"{row['name']} {row['account'] or ''}".lower()
            and health in ("", row["health"])
        ]
        fitting.sort(key=lambda row: (row["health"] not in ("needs_reauth", "error"), row["name"]))
        shown = fitting[:MOST]
        return {
            "sources": [(row, waits_for_approval(row)) for row in shown],
            "standing": standing(session, visitor, shown),
            "running": running(session, shown),
            "q": q,
            "health": health,
            "counts": sorted(counts.items()),
            "addresses": {one: with_asked(request, health=one) for one in counts},
            "all": with_asked(request, health=None),
            "whole": len(rows),
            "fitting": len(fitting),
            "alerts": strip(session),
        }

    return look


@page("/sources/{connection_id}", "source.html")
def source(visitor: Looking, connection_id: str) -> Look:
    """One of them: its streams, its jobs, its schedule."""

    def look(session: Connection) -> dict[str, Any]:
        existing(session, connection_id)
        [row] = connections.listing(session, connection_id)
        named = {"connection_id": connection_id, "limit": JOBS}
        return {
            "source": row,
            "waits": waits_for_approval(row),
            "consents": asks_for_consent(row),
            "standing": standing(session, visitor, [row])[connection_id],
            "job": running(session, [row]).get(connection_id),
            "streams": session.execute(query("dashboard", "streams"), named).fetchall(),
            "jobs": session.execute(query("dashboard", "jobs_of"), named).fetchall(),
            "schedules": [
                schedules.shown(one) for one in schedules.listing(session, connection_id)
            ],
        }

    return look
