"""A stream's cursor: everything a walk knows, in one small JSON object.

    {"at": {"cursor": "b64..."}, "since": "2026-01-01T00:00:00+00:00", "seen": "2026-01-05T...",
     "began": "2026-01-06T...", "loop": ["9f3c...", 4, 2, 7], "path": 1}

`at` is where in the walk the next page is; without it the next page is the first of a walk.
"""

from __future__ import annotations

import hashlib
from datetime import datetime

import msgspec

from headrace.errors import Expired, NeedsHuman
from headrace.provider import JSON

MAX_PAGES = 1_000_000
"""Pages of one walk. A source that invents a new cursor for ever is stopped here (R2)."""


class At(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Where the next page is: one of cursor, url, offset and page is set.

    `back` is how many records of an offset page were part of the page before it.
    """

    cursor: JSON = None
    url: str | None = None
    offset: int | None = None
    page: int | None = None
    back: int = 0


class Loop(msgspec.Struct, frozen=True, array_like=True):
    """A guard against walks in circles that fits in the cursor (R2).

    Brent's method: one remembered position, moved forward after 1, 2, 4, 8... pages. Any circle is
    noticed within about three times its length, and a crash in between changes nothing.
    """

    mark: str = ""
    power: int = 1
    steps: int = 0
    pages: int = 0

    def step(self, at: At) -> Loop:
        """The guard after one more page. Raises NeedsHuman when a position comes back."""
        digest = hashlib.sha256(msgspec.json.encode(at)).hexdigest()[:16]
        if digest == self.mark:
            raise NeedsHuman(
                "The source leads back to a page of the same walk: its cursors go in a circle.",
                hint="Check pagination.param and pagination.from in the spec; the source may"
                " ignore the parameter.",
            )
        pages = self.pages + 1
        if pages > MAX_PAGES:
            raise NeedsHuman(
                f"The walk did not end after {MAX_PAGES} pages.",
                hint="Check pagination.has_more in the spec, or cut the stream into slices.",
            )
        if self.steps + 1 >= self.power:
            return Loop(digest, self.power * 2, 0, pages)
        return Loop(self.mark, self.power, self.steps + 1, pages)


class State(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """The cursor, decoded. Times are aware; `since` is None in a walk over everything."""

    at: At | None = None
    since: datetime | None = None
    seen: datetime | None = None
    began: datetime | None = None
    loop: Loop | None = None
    path: int = 0


def read(cursor: JSON) -> State:
    """Raises Expired for a cursor this version cannot read: the walk starts again."""
    if cursor is None:
        return State()
    try:
        return msgspec.convert(cursor, State)
    except msgspec.ValidationError:
        raise Expired("The stored cursor is not one of this provider.") from None


def write(state: State) -> JSON:
    """None for a state that says nothing."""
    found: dict[str, JSON] = msgspec.to_builtins(state)
    return found or None
