"""The page that answers a request: as it should be, and as the envelope puts it into bytes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec


@dataclass(slots=True)
class Page:
    """Rows as JSON texts, some to a piece, and where the walk goes on."""

    pieces: Sequence[bytes]
    returned: int
    more: bool
    cursor: str | None


class Envelope(msgspec.Struct, frozen=True):
    """The JSON around the rows.

    Observed:   {"data":[..],"pagination":{"limit","hasMore","nextCursor","cursorExpiresIn"},
                 "meta":{"total","returned","requestId"}}
    Documented: {"data":[..],"hasMore":..,"nextCursor":..}

    `cursorExpiresIn` is in whole seconds, rounded up, or null beside a cursor that does not expire.
    """

    documented: bool
    cursor_ttl_s: float | None

    def wrap(self, page: Page, *, limit: int, total: int, request: int) -> list[bytes]:
        """The body of the answer in parts. `request` is the number of the request, from 1."""
        after: dict[str, object] = {"hasMore": page.more, "nextCursor": page.cursor}
        if not self.documented:
            expires = page.cursor and self.cursor_ttl_s and math.ceil(self.cursor_ttl_s)
            after = {
                "pagination": {"limit": limit, **after, "cursorExpiresIn": expires or None},
                "meta": {
                    "total": total,
                    "returned": page.returned,
                    "requestId": f"req_{request:08d}",
                },
            }
        tail = msgspec.json.encode(after).removeprefix(b"{")
        rows = [part for piece in page.pieces for part in (b",", piece)][1:]
        return [b'{"data":[', *rows, b"],", tail]
