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
    address_of,
    after,
    in_utc,
)
from headrace.mail.html import html_to_text
from headrace.text import clean_text

Json = dict[str, Any]

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
    attendees = [address_of(one) for one in _emails(event.get("attendees"))]
    return CalendarEvent(
        uid=_text(event, "iCalUID"),
        recurrence_id=None if original is None else _mark(original),
        starts_at=starts_at,
        ends_at=in_utc(_when(event.get("end"))) or after(starts_at, begins, None),
        all_day=begins is not None and not isinstance(begins, datetime),
        title=_text(event, "summary"),
        location=_text(event, "location"),
        description=_description(event),
        organizer=next(map(address_of, _emails([event.get("organizer")])), None),
        attendees=list(dict.fromkeys(one for one in attendees if one is not None)),
        status=_text(event, "status"),
        recurrence=_recurrence(event.get("recurrence")),
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


def _emails(people: object) -> list[str]:
    found = people[:ATTENDEES_CAP] if isinstance(people, list) else []
    emails = [one.get("email") for one in found if isinstance(one, dict)]
    return [one for one in emails if isinstance(one, str)]


def _recurrence(lines: object) -> str | None:
    """The lines as they stand."""
    if not isinstance(lines, list):
        return None
    return clean_text("\n".join(one for one in lines if isinstance(one, str)))[:RULES_CAP] or None
