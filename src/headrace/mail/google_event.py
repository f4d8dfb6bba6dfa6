"""One event as Google Calendar tells it, understood like one of a calendar file."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from headrace.errors import Skip
from headrace.mail.event import (
    ATTENDEES_CAP,
    DESCRIPTION_CAP,
    LONGEST,
    PAYLOAD_CAP,
    RULES_CAP,
    CalendarEvent,
    Guest,
    address_of,
    after,
    answer_of,
    in_utc,
    name_of,
    zone_name,
)
from headrace.mail.html import html_to_text
from headrace.mail.meetings import meeting_in
from headrace.text import clean_text

Json = dict[str, Any]

_LINKS = ("location", "description")
_CALENDARS = ".calendar.google.com"
_PROGRAMS = (".v.calendar.google.com", "unknownorganizer@calendar.google.com")
"""Organizers of holidays, birthdays, and of what Gmail has found in letters."""
_TAG = re.compile(r"<(?:/?(?:a|b|i|u|p|ul|ol|li|span|div|html-blob)\b|br\b)[^<>]*>", re.IGNORECASE)
"""What Calendar's own editor writes into a description."""


def parse_google_event(payload: bytes) -> CalendarEvent:
    """Understand an event; of a cancelled occurrence hardly more is told than which one it is.

    Pure; raises Skip for what is no event.
    """
    event = _decoded(payload)
    start, original = _when(event.get("start")), _when(event.get("originalStartTime"))
    begins = original if start is None else start
    starts_at = in_utc(begins)
    organizer = next(iter(_people([event.get("organizer")])), None)
    calendar = organizer is not None and organizer.address.endswith(_CALENDARS)
    return CalendarEvent(
        uid=_text(event, "iCalUID"),
        recurrence_id=None if original is None else _mark(original),
        starts_at=starts_at,
        ends_at=in_utc(_when(event.get("end"))) or after(starts_at, begins, None),
        all_day=begins is not None and not isinstance(begins, datetime),
        title=_text(event, "summary"),
        location=_text(event, "location"),
        description=_description(event),
        organizer=organizer,
        guests=_people(event.get("attendees")),
        status=_text(event, "status"),
        recurrence=_recurrence(event.get("recurrence")),
        meeting_url=meeting_in(
            *_conferences(event), *(_text(event, name, DESCRIPTION_CAP) for name in _LINKS)
        ),
        time_zone=_zone_of(event),
        by=next(iter(_people([event.get("creator")])), None) if calendar else None,
        automated=event.get("eventType") in ("fromGmail", "birthday")
        or (organizer is not None and organizer.address.endswith(_PROGRAMS)),
        own=_is_own(event.get("organizer")),
    )


def begins_at(event: Json) -> datetime | None:
    """When an event, or the occurrence that is cancelled, begins: in UTC; None if that is not said
    or makes no sense."""
    start = _when(event.get("start"))
    return in_utc(_when(event.get("originalStartTime")) if start is None else start)


def _decoded(payload: bytes) -> Json:
    if len(payload) > PAYLOAD_CAP:
        raise _no_event(f"it is larger than {PAYLOAD_CAP:,} bytes")
    try:
        event = msgspec.json.decode(payload)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise _no_event("it is no JSON") from None
    if not isinstance(event, dict) or not isinstance(event.get("id"), str):
        raise _no_event("it has no id")
    return event


def _no_event(why: str) -> Skip:
    return Skip(
        f"This event of Google Calendar cannot be read: {why}.",
        hint="The raw event is kept. The next change of the event brings it anew.",
    )


def _when(told: object) -> date | None:
    """A day, or a moment in its zone; None for what makes no sense."""
    if not isinstance(told, dict):
        return None
    try:
        if "date" in told:
            return date.fromisoformat(told["date"])
        when = datetime.fromisoformat(told["dateTime"])
    except (KeyError, ValueError, TypeError):
        return None
    return when if when.tzinfo else when.replace(tzinfo=_zone(told.get("timeZone")))


def _zone(name: object) -> ZoneInfo:
    """A zone by the name that the IANA or Windows has for it; UTC for any other, so that the same
    bytes mean the same everywhere."""
    try:
        return ZoneInfo(WINDOWS_TO_OLSON.get(str(name), str(name)))
    except (KeyError, ValueError, OSError):
        return ZoneInfo("UTC")


def _mark(original: date) -> str:
    """Which occurrence of its series it is, as iCalendar writes it."""
    if not isinstance(original, datetime):
        return original.strftime("%Y%m%d")
    moment = in_utc(original)
    return original.isoformat() if moment is None else moment.strftime("%Y%m%dT%H%M%SZ")


def _text(event: Json, name: str, longest: int = LONGEST) -> str | None:
    value = event.get(name)
    return (clean_text(value).strip()[:longest] or None) if isinstance(value, str) else None


def _description(event: Json) -> str | None:
    text = _text(event, "description", DESCRIPTION_CAP)
    if text is None or not _TAG.search(text):
        return text
    return html_to_text(text.replace("\n", "<br>")).strip() or None


def _people(people: object) -> list[Guest]:
    found: dict[str, Guest] = {}
    for one in people[:ATTENDEES_CAP] if isinstance(people, list) else []:
        told = one.get("email") if isinstance(one, dict) else None
        address = address_of(told) if isinstance(told, str) else None
        if address is not None and address not in found:
            name = one.get("displayName")
            found[address] = Guest(
                address,
                name_of(name if isinstance(name, str) else None, address),
                answer_of(one.get("responseStatus")),
                one.get("optional") is True,
                one.get("resource") is True,
            )
    return list(found.values())


def _is_own(organizer: object) -> bool:
    return isinstance(organizer, dict) and organizer.get("self") is True


def _conferences(event: Json) -> list[str]:
    """Where the event is held by video, as it says itself."""
    data = event.get("conferenceData")
    entries = data.get("entryPoints") if isinstance(data, dict) else None
    links = (
        [one.get("uri") for one in entries or () if isinstance(one, dict)]
        if isinstance(entries, list)
        else []
    )
    return [one for one in (*links, event.get("hangoutLink")) if isinstance(one, str)]


def _zone_of(event: Json) -> str | None:
    for name in ("start", "originalStartTime"):
        told = event.get(name)
        if isinstance(told, dict) and isinstance(told.get("timeZone"), str):
            return zone_name(told["timeZone"])
    return None


def _recurrence(lines: object) -> str | None:
    """The lines as they stand."""
    if not isinstance(lines, list):
        return None
    return clean_text("\n".join(one for one in lines if isinstance(one, str)))[:RULES_CAP] or None
