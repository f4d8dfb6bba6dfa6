"""One calendar event, understood: when, where, what, and who comes."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import msgspec
from icalendar import Calendar
from icalendar.error import BrokenCalendarProperty

from headrace.errors import Skip
from headrace.text import clean_text

PAYLOAD_CAP = 1 << 20
"""Bytes of one event that are looked at; a larger one carries files and is skipped."""
ATTENDEES_CAP = 1_000

_LONGEST = 2_000
_DESCRIPTION_CAP = 256 * 1024
_EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
_LATEST = datetime(2200, 1, 1, tzinfo=UTC)
# What icalendar raises for content it cannot take; RecursionError is for components in components.
_REFUSED = (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError)


class CalendarEvent(msgspec.Struct, kw_only=True):
    """An event's content. Times are UTC; a whole day begins at 00:00 UTC and `ends_at` is
    exclusive. `recurrence` holds the RRULE, RDATE and EXDATE lines as they stand; nothing is
    expanded. `recurrence_id` is set for a changed occurrence of a series. Addresses are
    lower-cased.
    """

    uid: str | None
    recurrence_id: str | None
    starts_at: datetime | None
    ends_at: datetime | None
    all_day: bool
    title: str | None
    location: str | None
    description: str | None
    organizer: str | None
    attendees: list[str]
    status: str | None
    recurrence: str | None


def parse_event(payload: bytes) -> CalendarEvent:
    """Understand a calendar that holds one event. Pure; raises Skip for what is no such thing."""
    if len(payload) > PAYLOAD_CAP:
        raise _no_event(f"it is larger than {PAYLOAD_CAP:,} bytes")
    try:
        found = Calendar.from_ical(payload.decode("utf-8", "replace")).walk("VEVENT")
    except _REFUSED as error:
        raise _no_event(str(error)[:200]) from error
    if len(found) != 1:
        raise _no_event(f"it holds {len(found)} events")
    event: Any = found[0]
    start, end = _value(event, "DTSTART"), _value(event, "DTEND")
    duration = _value(event, "DURATION")
    starts_at = _moment(start)
    return CalendarEvent(
        uid=_text(event, "UID"),
        recurrence_id=_lines(event, "RECURRENCE-ID"),
        starts_at=starts_at,
        ends_at=_moment(end) or _after(starts_at, start, duration),
        all_day=isinstance(start, date) and not isinstance(start, datetime),
        title=_text(event, "SUMMARY"),
        location=_text(event, "LOCATION"),
        description=_text(event, "DESCRIPTION", _DESCRIPTION_CAP),
        organizer=next(iter(_addresses(event, "ORGANIZER")), None),
        attendees=_addresses(event, "ATTENDEE"),
        status=_text(event, "STATUS"),
        recurrence="\n".join(filter(None, map(lambda n: _lines(event, n, n), _RULES))) or None,
    )
