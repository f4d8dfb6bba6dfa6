"""Events of Google Calendar into the table `calendar_events`."""

from __future__ import annotations

from collections.abc import Iterable

from headrace.mail.google_event import parse_google_event
from headrace.rows import CalendarEventRow
from headrace.stage import RawEvent, StreamContext, stage
from headrace.stages.normalise_calendar import calendar_row


@stage(version=1, content="application/vnd.google.calendar.event+json")
def normalize_google_event(raw: RawEvent, stream: StreamContext) -> Iterable[CalendarEventRow]:
    """One row for each event, series and exception of one. Raises Skip for what is no event."""
    del stream
    return (calendar_row(raw, parse_google_event(raw.payload)),)
