"""One calendar event, understood: when, where, what, and who comes."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import msgspec
from icalendar import Calendar
from icalendar.error import BrokenCalendarProperty
from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from headrace.errors import Skip
from headrace.mail.meetings import meeting_in
from headrace.text import clean_text

PAYLOAD_CAP = 1 << 20
"""Bytes of one event that are looked at; a larger one carries files and is skipped."""
ATTENDEES_CAP = 1_000

LONGEST = 2_000
_LONGEST_NAME = 200
_LONGEST_ZONE = 100
_LINKS = (
    "X-GOOGLE-CONFERENCE", "X-MICROSOFT-SKYPETEAMSMEETINGURL", "CONFERENCE", "URL", "LOCATION",
    "DESCRIPTION",
)  # fmt: skip
_LONGEST_EVENT = timedelta(days=3_660)
RULES_CAP = 64 * 1024
DESCRIPTION_CAP = 256 * 1024
_EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
_LATEST = datetime(2200, 1, 1, tzinfo=UTC)
_FOLD = re.compile(r"\r?\n[ \t]")
_ANYWHERE = re.MULTILINE | re.IGNORECASE
_RECURRENCE = re.compile(r"^(?:RRULE|RDATE|EXDATE)[;:][^\r\n]*", _ANYWHERE)
_RECURRENCE_ID = re.compile(r"^RECURRENCE-ID(?:;[^:\r\n]*)?:([^\r\n]*)", _ANYWHERE)
_ZONES = re.compile(r"^BEGIN:VTIMEZONE.*^END:VTIMEZONE[^\n]*\n", _ANYWHERE | re.DOTALL)
# What icalendar raises for content it cannot take; RecursionError for components in components.
_REFUSED = (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError)


class Guest(msgspec.Struct, frozen=True):
    """Somebody at an event, or its organizer. `answer` is accepted, declined, tentative or none;
    a `room` is any thing that can be booked."""

    address: str
    name: str | None = None
    answer: str = "none"
    optional: bool = False
    room: bool = False


class CalendarEvent(msgspec.Struct, kw_only=True):
    """An event's content. Times are UTC; a whole day begins at 00:00 UTC and `ends_at` is
    exclusive. `recurrence` holds the RRULE, RDATE and EXDATE lines as they stand; nothing is
    expanded. `recurrence_id` is set for a changed occurrence of a series. Addresses are
    lower-cased. `time_zone` is the name of the event's own zone. `by` is who made the event, where
    its organizer is a calendar; `automated` that a program did; `own` that the calendar's owner
    is its organizer.
    """

    uid: str | None
    recurrence_id: str | None
    starts_at: datetime | None
    ends_at: datetime | None
    all_day: bool
    title: str | None
    location: str | None
    description: str | None
    organizer: Guest | None
    guests: list[Guest]
    status: str | None
    recurrence: str | None
    meeting_url: str | None = None
    time_zone: str | None = None
    by: Guest | None = None
    automated: bool = False
    own: bool = False

    @property
    def cancelled(self) -> bool:
        """Whether it will not take place."""
        return (self.status or "").lower() == "cancelled"


def parse_event(payload: bytes) -> CalendarEvent:
    """Understand a calendar that holds one event. Pure; raises Skip for what is no such thing."""
    if len(payload) > PAYLOAD_CAP:
        raise _no_event(f"it is larger than {PAYLOAD_CAP:,} bytes")
    text = payload.decode("utf-8", "replace")
    try:
        found = _events(text)
    except _REFUSED:
        # A time zone of the calendar's own making may be what is wrong; most are known by name.
        try:
            found = _events(_ZONES.sub("", text))
        except _REFUSED as error:
            raise _no_event(str(error)[:200]) from error
    if len(found) != 1:
        raise _no_event(f"it holds {len(found)} events")
    event = found[0]
    start, end = _value(event, "DTSTART"), _value(event, "DTEND")
    starts_at = in_utc(start)
    lines = _ZONES.sub("", _FOLD.sub("", text))
    recurrence_id = _RECURRENCE_ID.search(lines)
    return CalendarEvent(
        uid=_text(event, "UID"),
        recurrence_id=clean_text(recurrence_id[1]).strip()[:40] if recurrence_id else None,
        starts_at=starts_at,
        ends_at=in_utc(end) or after(starts_at, start, _value(event, "DURATION")),
        all_day=isinstance(start, date) and not isinstance(start, datetime),
        title=_text(event, "SUMMARY"),
        location=_text(event, "LOCATION"),
        description=_text(event, "DESCRIPTION", DESCRIPTION_CAP),
        organizer=next(iter(_people(event, "ORGANIZER")), None),
        guests=_people(event, "ATTENDEE"),
        status=_text(event, "STATUS"),
        recurrence=clean_text("\n".join(_RECURRENCE.findall(lines)))[:RULES_CAP] or None,
        meeting_url=meeting_in(*(_text(event, name, DESCRIPTION_CAP) for name in _LINKS)),
        time_zone=_zone_of(event),
    )


def _events(text: str) -> list[Any]:
    return list(Calendar.from_ical(text).walk("VEVENT"))


def _no_event(why: str) -> Skip:
    return Skip(
        f"This calendar event cannot be read: {clean_text(why)}.",
        hint="The raw event is kept. Export it again if its program has mended it.",
    )


def _all(event: Any, name: str) -> list[Any]:
    """The values of a property, however often it occurs."""
    found = event.get(name)
    if found is None:
        return []
    return found if isinstance(found, list) else [found]


def _value(event: Any, name: str) -> date | timedelta | None:
    """The date, time or duration of a property that occurs once; None if it makes no sense."""
    for one in _all(event, name)[:1]:
        try:
            value = one.dt
        except (BrokenCalendarProperty, AttributeError):
            return None
        if isinstance(value, date | timedelta):
            return value
    return None


def in_utc(value: date | timedelta | None) -> datetime | None:
    """In UTC. A time without a zone is taken as UTC, so that the same bytes mean the same
    everywhere; None outside 1900-2200."""
    if not isinstance(value, date):
        return None
    if not isinstance(value, datetime):
        value = datetime.combine(value, time(), UTC)
    try:
        when = (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC)
    except (OverflowError, ValueError):
        return None
    return when if _EARLIEST <= when < _LATEST else None


def after(
    starts_at: datetime | None, start: date | timedelta | None, duration: date | timedelta | None
) -> datetime | None:
    """The end of an event that states a duration, or of a whole day that states nothing."""
    if starts_at is None:
        return None
    if isinstance(duration, timedelta) and timedelta() <= duration < _LONGEST_EVENT:
        return starts_at + duration
    whole_day = not isinstance(start, datetime)
    return starts_at + timedelta(days=1) if whole_day else None


def _text(event: Any, name: str, longest: int = LONGEST) -> str | None:
    for one in _all(event, name)[:1]:
        return clean_text(str(one)).strip()[:longest] or None
    return None


def _people(event: Any, name: str) -> list[Guest]:
    """People by their mail addresses; who is named by anything else is left out."""
    found: dict[str, Guest] = {}
    for one in _all(event, name)[:ATTENDEES_CAP]:
        address = address_of(str(one))
        if address is not None and address not in found:
            given = {key: str(value) for key, value in getattr(one, "params", {}).items()}
            found[address] = Guest(
                address,
                name_of(given.get("CN"), address),
                answer_of(given.get("PARTSTAT")),
                given.get("ROLE", "").upper() == "OPT-PARTICIPANT",
                given.get("CUTYPE", "").upper() in ("ROOM", "RESOURCE"),
            )
    return list(found.values())


def name_of(text: str | None, address: str) -> str | None:
    """Somebody's name; None for what says no more than their address."""
    name = " ".join(clean_text(text or "").split()).strip("'\"")[:_LONGEST_NAME]
    return None if not name or name.lower().removeprefix("mailto:") == address else name


def answer_of(text: object) -> str:
    """An answer to an invitation, in a word."""
    word = text.lower() if isinstance(text, str) else ""
    return word if word in ("accepted", "declined", "tentative") else "none"


def _zone_of(event: Any) -> str | None:
    """The zone that the start is written in, by its name."""
    for one in _all(event, "DTSTART")[:1]:
        name = str(getattr(one, "params", {}).get("TZID", ""))
        return zone_name(name)
    return None


def zone_name(name: str) -> str | None:
    """A zone by the name that the IANA has for it, where it is known; None for none."""
    name = clean_text(WINDOWS_TO_OLSON.get(name, name)).strip().removeprefix("/")
    return name[:_LONGEST_ZONE] or None


def address_of(text: str) -> str | None:
    """A mail address, lower-cased; None for what is none."""
    address = clean_text(text).strip().lower().removeprefix("mailto:").strip()
    if "@" in address and len(address) <= 320 and not any(map(str.isspace, address)):
        return address
    return None
