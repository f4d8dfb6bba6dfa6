"""Events of a calendar export into the table `calendar_events`."""

from __future__ import annotations

from collections.abc import Iterable

from headrace.mail.event import CalendarEvent, parse_event
from headrace.rows import CalendarEventRow
from headrace.stage import RawEvent, StreamContext, stage


@stage(version=1, content="text/calendar")
def normalize_calendar(raw: RawEvent, stream: StreamContext) -> Iterable[CalendarEventRow]:
    """One row for each event. Raises Skip for what is no event."""
    del stream
    return (calendar_row(raw, parse_event(raw.payload)),)


def calendar_row(raw: RawEvent, event: CalendarEvent) -> CalendarEventRow:
    """An event that was understood, as a row."""
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
        organizer=event.organizer,
        attendees=event.attendees,
        status=event.status,
        recurrence=event.recurrence,
    )
