"""Dates in mail are written by whoever sent it: parsed within bounds, or not at all (G14)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_tz

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(2100, 1, 1, tzinfo=UTC)

_LONGEST = 120
_MONTHS = {
    name: number
    for number, name in enumerate(
        b"jan feb mar apr may jun jul aug sep oct nov dec".split(),
        start=1,
    )
}
# The form nearly every Date header has; the rest goes to the standard library, four times slower.
_USUAL = re.compile(
    rb"\s*(?:[A-Za-z]{3},)?\s*(\d{1,2})\s+([A-Za-z]{3})\s+(\d{4})"
    rb"\s+(\d{1,2}):(\d\d)(?::(\d\d))?\s+(?:([+-])(\d\d)(\d\d)|GMT|UTC?)(?![A-Za-z0-9])"
)


def parse_date(value: bytes) -> datetime | None:
    """The moment in UTC, to the second; None where it cannot be read or lies outside 1970-2100.

    A date without a zone is taken as UTC, so that the same bytes mean the same everywhere.
    """
    value = value[:_LONGEST]
    usual = _USUAL.match(value)
    try:
        when = _from_match(usual) if usual else _from_library(value)
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
    return when if when is not None and EARLIEST <= when < LATEST else None


def _from_match(found: re.Match[bytes]) -> datetime | None:
    day, month, year, hour, minute, second, sign, zone_hours, zone_minutes = found.groups()
    number = _MONTHS.get(month.lower())
    if number is None:
        return None
    offset = timedelta()
    if sign is not None:
        offset = timedelta(hours=int(zone_hours), minutes=int(zone_minutes))
        if offset >= timedelta(hours=24):
            return None
        offset = -offset if sign == b"-" else offset
    # 60 is a leap second, which datetime does not know.
    local = datetime(
        int(year), number, int(day), int(hour), int(minute), min(int(second or 0), 59),
        tzinfo=UTC,
    )  # fmt: skip
    return local - offset


def _from_library(value: bytes) -> datetime | None:
    parsed = parsedate_tz(value.decode("latin-1"))
    if parsed is None:
        return None
    year, month, day, hour, minute, second, _, _, _, offset = parsed
    if abs(offset or 0) >= 24 * 3600:
        return None
    local = datetime(year, month, day, hour, minute, max(0, min(second, 59)), tzinfo=UTC)
    return local - timedelta(seconds=offset or 0)
