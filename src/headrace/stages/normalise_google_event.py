"""Events of Google Calendar, as such and as meetings of people."""

from __future__ import annotations

from collections.abc import Iterable

from headrace.mail.google_event import parse_google_event
from headrace.rows import CalendarEventRow, InteractionRow
from headrace.stage import RawEvent, StreamContext, stage
from headrace.stages.normalise_calendar import event_rows


@stage(version=2, content="application/vnd.google.calendar.event+json")
def normalize_google_event(
    raw: RawEvent, stream: StreamContext
) -> Iterable[CalendarEventRow | InteractionRow]:
    """Two rows for each event, series and exception of one. Raises Skip for what is no event."""
    return event_rows(raw, parse_google_event(raw.payload), stream, source="google_calendar")
