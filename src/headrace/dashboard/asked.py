"""What addresses of pages say, read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from headrace.errors import BadInput


def day(text: str) -> datetime | None:
    """The beginning of a day in UTC; None where none is named. Raises BadInput."""
    if not text.strip():
        return None
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        raise BadInput(f"{text!r} is no date.", hint="Write one as 2026-11-23.") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def day_after(text: str) -> datetime | None:
    """The end of a day in UTC: what is asked for until a day is asked for with it. Raises
    BadInput."""
    found = day(text)
    if found is None or len(text.strip()) > len("2026-11-23"):
        return found
    try:
        return found + timedelta(days=1)
    except OverflowError:
        return None
