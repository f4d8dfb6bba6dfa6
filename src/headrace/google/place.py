"""How far a walk of a mailbox is: what a checkpoint keeps of it."""

from __future__ import annotations

from typing import Any

import msgspec

from headrace.google.letters import Letter
from headrace.provider import JSON


class Place(msgspec.Struct, omit_defaults=True):
    """The cursor. `history` is the id to take changes from; `listing`, while the mailbox is being
    listed, the number of the label under way; `page` the token of the next page of either.

    `after` is where the window of `days` begins, for good (seconds since 1970); `of` the choice
    that the listing was made for.
    """

    history: str = ""
    listing: int | None = None
    page: str = ""
    after: int | None = None
    of: str = ""

    def cursor(self) -> JSON:
        """As a checkpoint keeps it."""
        found: dict[str, Any] = msgspec.to_builtins(self)
        return found or None

    def anew(self) -> Place:
        """Where a walk begins again that has lost its way: with the listing, in the same window."""
        return Place(after=self.after, of=self.of) if self.after is not None else Place()

    def covers(self, letter: Letter) -> bool:
        """Whether a message lies in the window; one older than it is nobody's business."""
        return self.after is None or letter.ms is None or letter.ms >= self.after * 1_000
