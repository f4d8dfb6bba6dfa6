"""Where a walk through a list is that Google keeps in step by tokens, and how its pages follow."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from headrace.provider import JSON, BadRecord, Census, Page, Record


class At(msgspec.Struct, frozen=True, omit_defaults=True):
    """A place: the token of a page, and the sync token that the walk began with, or none for a
    full one. `gone`: the calendar was not there any more."""

    page: str | None = None
    sync: str | None = None
    gone: bool = False

    def tokens(self) -> dict[str, str]:
        """What is sent of it."""
        tokens = {"syncToken": self.sync, "pageToken": self.page}
        return {name: token for name, token in tokens.items() if token is not None}

    def cursor(self) -> JSON:
        """As it is kept; None for the beginning."""
        kept: JSON = msgspec.to_builtins(self)
        return kept or None


def page_at(
    at: At,
    records: Sequence[Record],
    page_token: str | None,
    sync_token: str | None,
    *,
    bad: Sequence[BadRecord] = (),
    also: Sequence[str] = (),
) -> Page:
    """The page at a place, with the tokens that came with it.

    Pages end when there is no token for another (rule C5). The sync token is on the last page, and
    is kept then (rule C1). A full walk lists everything there is (rule C3).
    """
    census = None
    if at.sync is None:
        census = Census(first=at.page is None, last=not page_token, also=also)
    goes_on = At(page_token, at.sync) if page_token else At(sync=sync_token or None)
    return Page(records, goes_on.cursor(), more=bool(page_token), bad=bad, census=census)
