"""Events of a calendar export, as such and as meetings of people."""

from __future__ import annotations

from collections.abc import Iterable

from headrace.mail.direction import is_own
from headrace.mail.event import CalendarEvent, parse_event
from headrace.rows import CalendarEventRow, InteractionRow
from headrace.stage import RawEvent, StreamContext, stage
from headrace.stages.people import as_json, of_event
from headrace.text import text_hash, text_to_embed


@stage(version=2, content="text/calendar")
def normalize_calendar(
    raw: RawEvent, stream: StreamContext
) -> Iterable[CalendarEventRow | InteractionRow]:
    """Two rows for each event. Raises Skip for what is no event."""
    return event_rows(raw, parse_event(raw.payload), stream, source="calendar")


def event_rows(
    raw: RawEvent, event: CalendarEvent, stream: StreamContext, *, source: str
) -> tuple[CalendarEventRow, InteractionRow]:
    """The rows of an event that was understood."""
    return _appointment(raw, event), _meeting(raw, event, stream, source)


def _appointment(raw: RawEvent, event: CalendarEvent) -> CalendarEventRow:
    return CalendarEventRow(
        source_id=raw.source_id,
        version=raw.version,
        uid=event.uid,
        recurrence_id=event.recurrence_id,
        occurred_at=event.starts_at or raw.occurred_at,
        ends_at=event.ends_at,
        all_day=event.all_day,
        title=event.title,
        location=event.location,
        description=event.description,
        organizer=event.organizer.address if event.organizer else None,
        attendees=[one.address for one in event.guests],
        status=event.status,
        recurrence=event.recurrence,
        guests=as_json(event.guests),
        meeting_url=event.meeting_url,
        time_zone=event.time_zone,
    )


def _meeting(
    raw: RawEvent, event: CalendarEvent, stream: StreamContext, source: str
) -> InteractionRow:
    """The same between people. What a series' events have in common is their thread."""
    by = event.by or event.organizer
    text = text_to_embed(event.title, None, event.description or "")
    return InteractionRow(
        source_id=raw.source_id,
        version=raw.version,
        source=source,
        kind="meeting_cancelled" if event.cancelled else "meeting_created",
        occurred_at=event.starts_at or raw.occurred_at,
        direction=_direction(event, by.address if by else None, stream.addresses),
        thread_id=event.uid or raw.source_id,
        from_name=by.name if by else None,
        from_address=by.address if by else None,
        to_addresses=[one.address for one in event.guests],
        subject=event.title,
        body=event.description or "",
        people=as_json(of_event(event)),
        automated="calendar" if event.automated else None,
        meeting_url=event.meeting_url,
        text_hash=text_hash(text) if event.description or not event.automated else None,
    )


def _direction(event: CalendarEvent, by: str | None, own: frozenset[str]) -> str | None:
    """Outbound is what the account's owner has asked others to."""
    if event.own or is_own(by, own):
        return "outbound"
    return "inbound" if own and by is not None else None
