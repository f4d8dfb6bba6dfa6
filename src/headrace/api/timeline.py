"""`/api/timeline` and `/api/interactions/recent`: what happened when, and with whom of late."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from headrace.api.auth import Visitor
from headrace.api.problems import Strict
from headrace.api.shapes import Cursor, Limit, Page, Time, row_path
from headrace.errors import NotFound
from headrace.out import timeline as out
from headrace.out.people import identities
from headrace.store.cursor import cut, place
from headrace.store.listings import Place

router = APIRouter(tags=["timeline"])


class Asked(Strict):
    """Which part of a timeline."""

    contact: UUID | None = Field(
        None, description="Only what a contact took part in; any of its identities' ids will do."
    )
    kind: list[str] | None = Field(
        None, description="Only of this kind, such as meeting; may be given more than once."
    )
    since: Time | None = Field(None, description="Only what happened then or later.")
    until: Time | None = Field(None, description="Only what happened before.")
    limit: Limit = 50
    cursor: Cursor = None


class TimelineEvent(BaseModel):
    """What happened, in a sentence of plain text."""

    stream_id: int
    source_id: str
    occurred_at: Time | None
    kind: str
    sentence: str
    details: dict[str, Any] = Field(description="Who took part, what was attached, and so on.")
    path: str = Field(description="GET this for the whole row.")


class Last(BaseModel):
    """The newest thing that was heard of somebody."""

    stream_id: int
    source_id: str
    occurred_at: Time
    sentence: str | None
    path: str = Field(description="GET this for the whole row.")


class RecentContact(BaseModel):
    """Somebody who was heard of in the last hours."""

    contact_id: UUID
    name: str | None
    email: str | None
    interactions: int
    received: int
    sent: int
    last: Last


class Recent(BaseModel):
    """Who was heard of in the last `hours`, the newest first; counted every minute."""

    hours: int
    as_of: Time | None = Field(description="When that was counted; null where there is nobody.")
    items: list[RecentContact]


class AskedRecent(Strict):
    """How many."""

    limit: Limit = 50


@router.get("/timeline")
def timeline(visitor: Visitor, asked: Annotated[Asked, Query()]) -> Page[TimelineEvent]:
    """What happened, newest first; what has no time comes last."""
    after = place(asked.cursor, Place)
    with visitor.session() as session:
        whose = None if asked.contact is None else identities(session, str(asked.contact))
        if whose == []:
            raise NotFound("There is no such contact.", hint="`/api/search?person=` takes names.")
        rows = out.timeline(
            session,
            identities=whose,
            kinds=asked.kind,
            since=asked.since,
            until=asked.until,
            after=after,
            limit=asked.limit + 1,
        )
    shown, after_these = cut(rows, asked.limit, "occurred_at", "stream_id", "source_id")
    items = [TimelineEvent(**row, path=_path(row)) for row in shown]
    return Page(items=items, next=after_these)


@router.get("/interactions/recent")
def recent(visitor: Visitor, asked: Annotated[AskedRecent, Query()]) -> Recent:
    """Who has been heard of of late, how often, and what last. HEADRACE_RECENT_HOURS says how long
    that is."""
    with visitor.session() as session:
        rows = out.recent(session, asked.limit)
    return Recent(
        hours=visitor.settings.headrace_recent_hours,
        as_of=rows[0]["counted_at"] if rows else None,
        items=[RecentContact(**row, last=Last(**row, path=_path(row))) for row in rows],
    )


def _path(row: dict[str, Any]) -> str:
    return row_path("interactions", row["stream_id"], row["source_id"])
