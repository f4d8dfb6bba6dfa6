"""The start or end of an event: a day, or an instant in a zone, as Calendar writes them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from headrace.twin.google.problem import Problem, bad_parameter

Json = dict[str, Any]
Moment = date | datetime
"""A `date` for an all-day event, otherwise a `datetime` in the event's own zone."""


def moment(told: Json) -> Moment:
    """Read `{"date"}` or `{"dateTime", "timeZone"}`. Raises Problem (400)."""
    try:
        if "date" in told:
            return date.fromisoformat(told["date"])
        instant = datetime.fromisoformat(told["dateTime"])
        zone = told.get("timeZone")
        if instant.tzinfo is None:
            return instant.replace(tzinfo=ZoneInfo(zone or "UTC"))
        return instant.astimezone(ZoneInfo(zone)) if zone else instant
    except (KeyError, ValueError, TypeError, OSError):
        raise Problem(400, "invalid", "Invalid start or end time.") from None


def told(when: Moment) -> Json:
    """Write it."""
    if not isinstance(when, datetime):
        return {"date": when.isoformat()}
    zone = when.tzinfo.key if isinstance(when.tzinfo, ZoneInfo) else None
    return {"dateTime": _rfc3339(when)} | ({"timeZone": zone} if zone else {})


def instant(when: Moment) -> datetime:
    """For comparing: a day begins at midnight UTC."""
    return when if isinstance(when, datetime) else datetime.combine(when, time(), UTC)


def mark(when: Moment) -> str:
    """The end of an instance's id: 20260105T080000Z, or 20260105 for a day."""
    if isinstance(when, datetime):
        return when.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    return when.strftime("%Y%m%d")


def shifted(start_or_end: Json, minutes: int) -> Json:
    """The same so much later; an all-day event by whole days."""
    return told(later(moment(start_or_end), timedelta(minutes=minutes)))


def later(when: Moment, by: timedelta) -> Moment:
    """So much later in time that has passed, not on the wall clock."""
    if isinstance(when, datetime):
        return (when.astimezone(UTC) + by).astimezone(when.tzinfo)
    return when + by


def in_zone(start_or_end: Json, zone: ZoneInfo) -> Json:
    """The same instant in another zone's offset; a day stays a day."""
    if "dateTime" not in start_or_end:
        return start_or_end
    when = datetime.fromisoformat(start_or_end["dateTime"]).astimezone(zone)
    return start_or_end | {"dateTime": _rfc3339(when)}


def zone_named(name: str) -> ZoneInfo:
    """Raises Problem (400) for a zone that there is not."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise bad_parameter("timeZone", f"Invalid time zone: {name}") from None


def bound_named(name: str, text: str) -> datetime:
    """A parameter that is RFC 3339 with an offset. Raises Problem (400)."""
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise bad_parameter(name, "Bad Request") from None
    if when.tzinfo is None:
        raise bad_parameter(name, "Bad Request: a time zone offset is needed.")
    return when


def _rfc3339(when: datetime) -> str:
    return when.isoformat(timespec="seconds").replace("+00:00", "Z")
