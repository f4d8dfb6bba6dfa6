"""What addresses of pages say, read."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from headrace.errors import BadInput
from headrace.store import listings
from headrace.store.connections import ConnectionRow
from headrace.store.database import Connection
from headrace.text import one_line

_AGO = re.compile(r"(\d{1,5}) *(m|h|d)[a-z]*", re.IGNORECASE)
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}

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
        raise BadInput(f"{one_line(text)!r} is no date.", hint=_HINT) from None
    if not _FIRST <= found.year <= _LAST:
        raise BadInput(f"{one_line(text)!r} is too far away.", hint=_HINT)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def day_after(text: str) -> datetime | None:
    """The end of a day in UTC: what is asked for until a day is asked for with it. Raises
    BadInput."""
    found = day(text)
    if found is None or len(text.strip()) > len("2026-11-23"):
        return found
    return found + timedelta(days=1)


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


def source_named(session: Connection, named: str) -> ConnectionRow | None:
    """The connection that a name or an id means, None of none. Raises BadInput."""
    if not named.strip():
        return None
    rows = listings.connections_named(session, named.strip().replace("\0", ""), "")
    if not rows:
        raise BadInput(
            f"There is no source {one_line(named)!r}.", hint="The first page has those there are."
        )
    if len(rows) > 1 and rows[0]["connection_id"] != named.strip():
        ids = ", ".join(row["connection_id"] for row in rows[:5])
        raise BadInput("More than one source is called so.", hint=f"Name one by its id: {ids}.")
    return rows[0]
