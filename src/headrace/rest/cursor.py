"""A stream's cursor: everything a walk knows, in one small JSON object.

    {"at": {"cursor": "b64..."}, "since": "2026-01-01T00:00:00Z", "seen": "2026-01-05T00:00:00Z",
     "began": "2026-01-06T00:00:00Z", "path": 1}

`at` is where in the walk the next page is; without it the next page is the first of a walk. A
source that leads in a circle gives an equal cursor again, which is how the engine notices (R2).
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from headrace.errors import Expired, NeedsHuman
from headrace.provider import JSON


class At(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Where the next page is: one of cursor, url, offset and page is set.

    `back` is how many records of an offset page were part of the page before it.
    """

    cursor: JSON = None
    url: str | None = None
    offset: int | None = None
    page: int | None = None
    back: int = 0

    @property
    def counts(self) -> bool:
        """Whether it is a number that grows from page to page, whatever the source answers."""
        return self.offset is not None or self.page is not None


class State(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """The cursor, decoded. Times are aware; `since` is None in a walk over everything."""

    at: At | None = None
    since: datetime | None = None
    """Where this walk began: the newest time an earlier one had seen."""
    seen: datetime | None = None
    """The newest time of this walk so far."""
    began: datetime | None = None
    """When this walk began, by our clock."""
    path: int = 0
    """Which of the stream's paths was there."""
    last: str | None = None
    """What the last page held, where pages are counted."""


def read(cursor: JSON) -> State:
    """Raises Expired for a cursor this version cannot read: the walk starts again."""
    if cursor is None:
        return State()
    try:
        return msgspec.convert(cursor, State)
    except msgspec.ValidationError:
        raise Expired("The stored cursor is not one of this provider.") from None


def write(state: State) -> JSON:
    """None for a state that says nothing. Raises NeedsHuman for one PostgreSQL would refuse."""
    if b"\\u0000" in msgspec.json.encode(state):
        raise NeedsHuman(
            "The source's cursor holds a NUL character, which cannot be stored.",
            hint="Report it to whoever runs the source, or page it another way: `pagination`.",
        )
    found: dict[str, JSON] = msgspec.to_builtins(state)
    return found or None
