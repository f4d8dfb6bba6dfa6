"""How far a walk of a mailbox is: what a checkpoint keeps of it."""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from headrace.google.letters import Letter
from headrace.google.patience import Letters
from headrace.in_step import Tokens


class Place(Tokens):
    """A place in a mailbox. `since` is the historyId to take changes from; `listing`, while the
    mailbox is being listed, the number of the label under way; `page` the token of the next page of
    either.

    `after` is where the window of `days` begins, for good (seconds since 1970); `of` the choice
    that the listing was made for; `owed` are the messages that Google could not give, which are
    asked for again.
    """

    since: str = msgspec.field(default="", name="history")
    listing: int | None = None
    after: int | None = None
    of: str = ""
    owed: tuple[str, ...] = ()

    @property
    def is_listing(self) -> bool:
        """Its historyId is known beforehand (rule G1)."""
        return self.is_first or self.listing is not None

    @property
    def is_first(self) -> bool:
        """Whether nothing has been asked for yet."""
        return not self.since

    def anew(self) -> Place:
        """Where a walk begins again that has lost its way: with the listing, in the same window."""
        return Place(after=self.after, of=self.of) if self.after is not None else Place()

    def owing(self, found: Letters, gone: Collection[str] = ()) -> tuple[str, ...]:
        """What Google owes us after these messages."""
        settled = {*found.answered, *gone}
        return tuple(one for one in dict.fromkeys((*self.owed, *found.owed)) if one not in settled)

    def then(self, page: str, labels: int, found: Letters) -> Place:
        """Where a listing goes on after a page: with the `page` of that token, or without one with
        the next of so many labels, and after the last with the changes."""
        following = msgspec.structs.replace(self, page=page, owed=self.owing(found))
        if not page and self.listing is not None:
            following.listing = self.listing + 1 if self.listing + 1 < labels else None
        return following

    def covers(self, letter: Letter) -> bool:
        """Whether a message lies in the window; one older than it is nobody's business."""
        return self.after is None or letter.ms is None or letter.ms >= self.after * 1_000
