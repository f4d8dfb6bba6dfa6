"""What addresses of pages say, read."""

from __future__ import annotations

from datetime import UTC, datetime

from headrace.errors import BadInput

_HINT = "Write one as 2026-11-23."
_FIRST, _LAST = 1000, 9000
"""Years: there is room left to reckon with on both sides."""


def day(text: str) -> datetime | None:
    """The beginning of a day in UTC; None where none is named. Raises BadInput."""
    if not text.strip():
        return None
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        raise BadInput(f"{_short(text)} is no date.", hint=_HINT) from None
    if not _FIRST <= found.year <= _LAST:
        raise BadInput(f"{_short(text)} is too far away.", hint=_HINT)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:40]}...")
