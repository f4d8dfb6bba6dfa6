"""What addresses of pages say, read."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from headrace.errors import BadInput
from headrace.text import one_line

_AGO = re.compile(r"(\d{1,5}) *(m|h|d)[a-z]*", re.IGNORECASE)
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def day(text: str) -> datetime | None:
    """The beginning of a day in UTC; None where none is named. Raises BadInput."""
    if not text.strip():
        return None
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        raise BadInput(f"{one_line(text)!r} is no date.", hint="Write one as 2026-11-23.") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def since(text: str) -> datetime | None:
    """A day, or so long ago: `90m`, `24h`, `7 days`; None where nothing is said. Raises
    BadInput."""
    if (ago := _AGO.fullmatch(text.strip())) is not None:
        span = timedelta(**{_UNITS[ago[2].lower()]: int(ago[1])})
        return datetime.now(UTC).replace(microsecond=0) - span
    try:
        return day(text)
    except BadInput as error:
        hint = "Write one as 2026-11-23, or how long ago: 90m, 24h, 7d."
        raise BadInput(error.message, hint=hint) from None
