"""`/api/interactions`, `/api/calendar-events`, `/api/events`: what has been brought in."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from headrace.api.auth import Visitor
from headrace.api.problems import Strict
from headrace.api.shapes import Cursor, Limit, Page, Time
from headrace.errors import NotFound
from headrace.store import listings
from headrace.store.cursor import cut, place
from headrace.store.listings import Place, Table
from headrace.store.visit import Visit

router = APIRouter(tags=["records"])


class Listing(Strict):
    """Which rows of a table."""

    since: Time | None = Field(None, description="Only what happened then or later.")
    until: Time | None = Field(None, description="Only what happened before.")
    limit: Limit = 50
    cursor: Cursor = None


class InteractionLine(BaseModel):
    """One message between people, without its text."""

    stream_id: int
    source_id: str
    version: int
    user_id: str
    source: str
    kind: str
    occurred_at: Time | None
    direction: str | None
    thread_id: str | None
    message_id: str | None
    from_name: str | None
    from_address: str | None
    to_addresses: list[str]
    cc_addresses: list[str]
    subject: str | None
    labels: list[str]
    attachments: list[str]


class Interaction(InteractionLine):
    """One message between people."""

    body: str


class CalendarLine(BaseModel):
    """One event of a calendar, without its description; `ends_at` is exclusive."""

    stream_id: int
    source_id: str
    version: int
    user_id: str
    uid: str | None
    recurrence_id: str | None
    occurred_at: Time | None
    ends_at: Time | None
    all_day: bool
    title: str | None
    location: str | None
    organizer: str | None
    attendees: list[str]
    status: str | None
    recurrence: str | None


class CalendarEvent(CalendarLine):
    """One event of a calendar."""

    description: str | None


class Event(BaseModel):
    """One record of an events API."""

    stream_id: int
    source_id: str
    version: int
    user_id: str
    occurred_at: Time | None
    type: str | None
    name: str | None
    actor_id: str | None
    session_id: str | None
    properties: Any


@router.get("/interactions")
def list_interactions(
    visitor: Visitor, asked: Annotated[Listing, Query()]
) -> Page[InteractionLine]:
    """Messages, newest first; those without a time come last."""
    rows, after = _page(visitor, "interactions", asked)
    return Page(items=[InteractionLine.model_validate(row) for row in rows], next=after)


@router.get("/interactions/{stream_id}/{source_id:path}")
def get_interaction(visitor: Visitor, stream_id: int, source_id: str) -> Interaction:
    """One message with its text."""
    return Interaction.model_validate(_one(visitor, "interactions", stream_id, source_id))


@router.get("/calendar-events")
def list_calendar_events(
    visitor: Visitor, asked: Annotated[Listing, Query()]
) -> Page[CalendarLine]:
    """Events of calendars, the latest first; those without a time come last."""
    rows, after = _page(visitor, "calendar_events", asked)
    return Page(items=[CalendarLine.model_validate(row) for row in rows], next=after)


@router.get("/calendar-events/{stream_id}/{source_id:path}")
def get_calendar_event(visitor: Visitor, stream_id: int, source_id: str) -> CalendarEvent:
    """One event of a calendar with its description."""
    return CalendarEvent.model_validate(_one(visitor, "calendar_events", stream_id, source_id))


@router.get("/events")
def list_events(visitor: Visitor, asked: Annotated[Listing, Query()]) -> Page[Event]:
    """Events, newest first; those without a time come last."""
    rows, after = _page(visitor, "events", asked)
    return Page(items=[Event.model_validate(row) for row in rows], next=after)


@router.get("/events/{stream_id}/{source_id:path}")
def get_event(visitor: Visitor, stream_id: int, source_id: str) -> Event:
    """One event."""
    return Event.model_validate(_one(visitor, "events", stream_id, source_id))


def _page(visitor: Visit, table: Table, asked: Listing) -> tuple[list[dict[str, Any]], str | None]:
    after = place(asked.cursor, Place)
    with visitor.session() as session:
        rows = listings.rows(
            session,
            table,
            since=asked.since,
            until=asked.until,
            after=after,
            limit=asked.limit + 1,
        )
    return cut(rows, asked.limit, "occurred_at", "stream_id", "source_id")


def _one(visitor: Visit, table: Table, stream_id: int, source_id: str) -> dict[str, Any]:
    with visitor.session() as session:
        row = listings.one(session, table, stream_id, source_id)
    if row is None:
        name = table.replace("_", " ")
        raise NotFound(f"There is no such row among the {name}.", hint="Search names the ids.")
    return row
