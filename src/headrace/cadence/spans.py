"""Spans of time as people write them: 90s, 15m, 2 hours."""

from __future__ import annotations

import re

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_WORDS = {"d": "day", "h": "hour", "m": "minute", "s": "second"}
_SPAN = re.compile(
    r"(\d{1,9})\s*(s|secs?|seconds?|m|mins?|minutes?|h|hours?|d|days?)", re.IGNORECASE
)


def seconds(text: str) -> int | None:
    """Seconds of "15m" or "15 minutes"; None of anything else."""
    found = _SPAN.fullmatch(text.strip())
    return int(found[1]) * UNITS[found[2][0].lower()] if found else None


def _parts(span: int) -> tuple[int, str]:
    unit = next(one for one in ("d", "h", "m", "s") if span % UNITS[one] == 0)
    return span // UNITS[unit], unit


def short(span: int) -> str:
    """15m of 900."""
    many, unit = _parts(span)
    return f"{many}{unit}"


def words(span: int) -> str:
    """15 minutes of 900."""
    many, unit = _parts(span)
    return f"{many} {_WORDS[unit]}{'' if many == 1 else 's'}"
