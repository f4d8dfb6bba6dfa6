"""What Gmail's methods take in their query."""

from __future__ import annotations

from typing import Literal

from headrace.twin.google.asks import Ask, AtLeastOne

Format = Literal["full", "metadata", "minimal", "raw"]
HistoryType = Literal["messageAdded", "messageDeleted", "labelAdded", "labelRemoved"]
LARGEST_PAGE = 500


class PageAsk(Ask, frozen=True):
    """A page of a list. A larger page than 500 is capped without a word, as Gmail does."""

    max_results: AtLeastOne = 100
    page_token: str = ""

    @property
    def wanted(self) -> int:
        """How many at most."""
        return min(self.max_results, LARGEST_PAGE)


class ListMessages(PageAsk, frozen=True):
    """messages.list"""

    q: str = ""
    label_ids: tuple[str, ...] = ()
    include_spam_trash: bool = False


class ListDrafts(PageAsk, frozen=True):
    """drafts.list"""

    q: str = ""
    include_spam_trash: bool = False


class ListHistory(PageAsk, frozen=True):
    """history.list"""

    start_history_id: str = ""
    history_types: tuple[HistoryType, ...] = ()
    label_id: str = ""


class GetMessage(Ask, frozen=True):
    """messages.get"""

    format: Format = "full"
    metadata_headers: tuple[str, ...] = ()


class GetDraft(Ask, frozen=True):
    """drafts.get"""

    format: Format = "full"


class GetThread(Ask, frozen=True):
    """threads.get"""

    format: Literal["full", "metadata", "minimal"] = "full"
    metadata_headers: tuple[str, ...] = ()
