"""What happened, in sentences, newest first."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Request

from headrace.dashboard.asked import day, day_after
from headrace.dashboard.page import Look, page
from headrace.dashboard.paging import with_asked
from headrace.dashboard.record import address
from headrace.out import timeline as out
from headrace.out.people import identities
from headrace.store import contacts
from headrace.store.cursor import cut, place
from headrace.store.database import Connection
from headrace.store.listings import Place

ROWS = 50


@page("/timeline", "timeline.html")
def timeline(
    request: Request,
    contact: UUID | None = None,
    kind: Annotated[str, Query(max_length=100)] = "",
    since: str = "",
    until: str = "",
    after: Annotated[str | None, Query(max_length=8192)] = None,
) -> Look:
    """Everybody's, or one contact's."""
    began, first, last = place(after, Place), day(since), day_after(until)

    def look(session: Connection) -> dict[str, Any]:
        rows = out.timeline(
            session,
            identities=None if contact is None else identities(session, str(contact)),
            kinds=[kind] if kind else None,
            since=first,
            until=last,
            after=began,
            limit=ROWS + 1,
        )
        shown, further = cut(rows, ROWS, *Place.__struct_fields__)
        return {
            "events": [
                (row, address("interactions", row["stream_id"], row["source_id"])) for row in shown
            ],
            "contact": contact,
            "person": contact and _name(session, contact),
            "of_kind": {
                row["kind"]: with_asked(request, kind=row["kind"], after=None) for row in shown
            },
            "kind": kind,
            "since": since,
            "until": until,
            "older": further and with_asked(request, after=further),
            "newest": with_asked(request, after=None) if after else None,
        }

    return look


def _name(session: Connection, contact: UUID) -> str:
    row = contacts.one(session, contact) or {}
    return row.get("name") or row.get("email") or "somebody"
