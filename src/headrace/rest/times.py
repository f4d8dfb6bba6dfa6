"""Moments as APIs write them: ISO 8601 or numbers since 1970, often both in one page.

Numbers are told apart by magnitude: seconds, milliseconds, microseconds. DataSync mixes ISO text
and Unix milliseconds (REQUIREMENTS, facts about seed 002).
"""

from __future__ import annotations

import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Literal

TimeFormat = Literal["iso", "unix", "unix_ms"]

_EARLIEST = datetime(1900, 1, 1, tzinfo=UTC).timestamp()
_LATEST = datetime(2200, 1, 1, tzinfo=UTC).timestamp()
_OUTSIDE = "is outside the years 1900 to 2199"
_SECONDS = 1e11  # as seconds the year 5138, as milliseconds March 1973
_MILLISECONDS = 1e14
_MICROSECONDS = 1e17
_DAY = 8  # digits of a date without separators, such as 20260131


def moment(value: object) -> datetime:
    """An aware UTC time. Raises ValueError with a reason when it is none, or an absurd one."""
    if isinstance(value, str):
        return _from_text(value)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return from_number(value)
    raise ValueError(f"is {_kind(value)}, not a time")


def quick_moment(value: object) -> datetime:
    """The same, with the two common forms first: this is called for every record."""
    if type(value) is str and len(value) > 18 and value[4] == "-":
        when = datetime.fromisoformat(value)
        if when.tzinfo is UTC and 1900 <= when.year <= 2199:
            return when
        return in_range(when)
    if type(value) is int and 10**12 <= value < 4 * 10**12:
        return datetime.fromtimestamp(value / 1000, UTC)
    return moment(value)


def from_number(number: int | float) -> datetime:
    """A time from a count since 1970. Raises ValueError for one outside 1900 to 2200."""
    size = abs(number)
    if size >= _MICROSECONDS:
        raise ValueError(_OUTSIDE)
    seconds = number / (1 if size < _SECONDS else 1e3 if size < _MILLISECONDS else 1e6)
    if not _EARLIEST <= seconds < _LATEST:
        raise ValueError(_OUTSIDE)
    return datetime.fromtimestamp(seconds, UTC)


def _from_text(text: str) -> datetime:
    digits = text.strip()
    if digits.lstrip("-").replace(".", "", 1).isdecimal() and len(digits) != _DAY:
        if len(digits) > 32:
            raise ValueError("is not a time")
        return from_number(float(digits) if "." in digits else int(digits))
    try:
        when = datetime.fromisoformat(digits)
    except ValueError:
        try:
            when = parsedate_to_datetime(digits[:64])
        except (ValueError, IndexError, OverflowError):
            raise ValueError("is not a time") from None
    return in_range(when)


def in_range(when: datetime) -> datetime:
    """The time in UTC (a naive one counts as UTC). Raises ValueError outside 1900 to 2200."""
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    if not 1900 <= when.year <= 2199:
        raise ValueError(_OUTSIDE)
    return when if when.tzinfo is UTC else when.astimezone(UTC)


def written(when: datetime, format_: TimeFormat) -> str:
    """A moment as a parameter: ISO with Z (whole seconds), Unix seconds or milliseconds."""
    if format_ == "iso":
        return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    seconds = math.floor(when.timestamp())
    return str(seconds if format_ == "unix" else seconds * 1000)


def _kind(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    return "an object" if isinstance(value, dict) else "an array"
