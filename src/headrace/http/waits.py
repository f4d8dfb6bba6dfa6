"""How long the other side asks us to wait, in the many ways that is said (R6, R7, G10, H5).

Every function returns seconds from now, or None where nothing usable was said. `now` is seconds
since 1970. Numbers are told apart by magnitude: octokit's recordings hold epoch milliseconds where
GitHub documents epoch seconds, and DataSync sends the seconds that remain.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from headrace.provider import Standing

RESETS = ("X-RateLimit-Reset", "RateLimit-Reset", "X-Rate-Limit-Reset")
REMAINING = ("X-RateLimit-Remaining", "RateLimit-Remaining", "X-Rate-Limit-Remaining")
LIMITS = ("X-RateLimit-Limit", "RateLimit-Limit", "X-Rate-Limit-Limit")

_LONGEST_WINDOW = 86_400.0  # seconds; GitHub's is an hour, and some count by the day
_EPOCH_SECONDS = 1e9  # September 2001; as a delta it would be 31 years
_EPOCH_MILLISECONDS = 1e11  # as epoch seconds it would be the year 5138
_EPOCH_MICROSECONDS = 1e14
_NUMBER = re.compile(r"\d{1,12}(?:\.\d{1,6})?")
_IN_TEXT = re.compile(
    rb"[Rr]etry after (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d))"
)


def seconds_until(text: str, now: float) -> float | None:
    """Read a delta, an epoch time, an ISO time or an HTTP-date. A time gone by gives 0."""
    text = text.strip()
    if len(text) > 64:
        return None
    try:
        number = float(text)
    except ValueError:
        return _until_date(text, now)
    if not math.isfinite(number):
        return None
    if number >= _EPOCH_MICROSECONDS:
        number = number / 1e6 - now
    elif number >= _EPOCH_MILLISECONDS:
        number = number / 1e3 - now
    elif number >= _EPOCH_SECONDS:
        number -= now
    return max(0.0, number)


def _until_date(text: str, now: float) -> float | None:
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        try:
            when = parsedate_to_datetime(text)
        except (ValueError, IndexError, OverflowError):
            return None
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    try:
        return max(0.0, when.timestamp() - now)
    except OverflowError:
        return None


def advised(headers: Mapping[str, str], now: float, body: bytes = b"") -> float | None:
    """What an answer asks for: `Retry-After`, else the reset, else a time named in its text."""
    if (said := headers.get("Retry-After")) is not None:
        wait = seconds_until(said, now)
        if wait:
            return wait
    if (wait := until_reset(headers, now)) is not None:
        return wait
    if body and (found := _IN_TEXT.search(body, 0, 4096)):
        return _until_date(found[1].decode(), now)
    return None


def until_reset(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds until the allowance is renewed."""
    for name in RESETS:
        if (said := headers.get(name)) is not None:
            return seconds_until(said, now)
    return None


def exhausted(headers: Mapping[str, str]) -> bool:
    """Whether an answer says that no request is left until the reset."""
    for name in REMAINING:
        if (said := headers.get(name)) is not None:
            return said.strip() in {"0", "0.0"}
    return False


def standing(headers: Mapping[str, str], now: float) -> Standing | None:
    """How much is left of how much, and for how long; None where an answer does not say all of it.

    An answer of another kind than an API's usual ones has a window of its own: GitHub names it.
    """
    remaining = _number(headers, REMAINING)
    if remaining is None or headers.get("X-RateLimit-Resource", "core") != "core":
        return None
    seconds = until_reset(headers, now)
    if not seconds or seconds > _LONGEST_WINDOW:
        return None
    return Standing(max(remaining, _number(headers, LIMITS) or 0.0, 1.0), remaining, seconds)


def _number(headers: Mapping[str, str], names: Iterable[str]) -> float | None:
    """The first number of the first of these headers: `100, 100;w=60` is 100."""
    for name in names:
        if (said := headers.get(name)) is not None:
            found = _NUMBER.match(said.strip())
            return float(found[0]) if found else None
    return None
