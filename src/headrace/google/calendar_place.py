"""Where a walk through a list is that Google keeps in step by tokens, and how its pages follow."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from headrace.google.events import Listed
from headrace.in_step import Tokens, Told
from headrace.provider import BadRecord, Record


class At(Tokens):
    """`page` is the token of a page, and `since` the sync token that the walk began with, or none
    for a full one. `gone`: the calendar was not there any more."""

    since: str = msgspec.field(default="", name="sync")
    gone: bool = False

    def tokens(self) -> dict[str, str]:
        """What is sent of it."""
        tokens = {"syncToken": self.since, "pageToken": self.page}
        return {name: token for name, token in tokens.items() if token}

    def told(
        self,
        records: Sequence[Record],
        page: Listed,
        *,
        bad: Sequence[BadRecord] = (),
        also: Sequence[str] = (),
    ) -> Told[At]:
        """What a page says, and where the walk goes on by the tokens that came with it.

        Pages end when there is no token for another (rule C5). The sync token is on the last page,
        and is kept then (rule C1). A full walk lists everything there is (rule C3).
        """
        more = bool(page.next_page_token)
        following = At(page=page.next_page_token or "", since=self.since)
        if not more:
            following = At(since=page.next_sync_token or "")
        return Told(records, following, more, bad=bad, also=also)
