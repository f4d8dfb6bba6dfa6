"""Calendar's lists, page by page: page tokens, sync tokens, and the refusals that go with them."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Any

import msgspec

from headrace.twin.google.asks import bound
from headrace.twin.google.calendar_asks import ListCalendars, ListEvents, ListInstances
from headrace.twin.google.problem import Problem, bad_parameter
from headrace.twin.google.visit import Json, Visit, page_size

Asked = ListEvents | ListCalendars | ListInstances
Key = list[int | str]
_PAGE_APART = frozenset({"pageToken"})
_SYNC_APART = frozenset({"pageToken", "syncToken"})
_EXPIRED = "Sync token is no longer valid, a full sync is required."


class Since(msgspec.Struct, frozen=True):
    """What a sync token remembers: the question, and the state of what was listed."""

    ask: dict[str, Any]
    epoch: int
    seq: int
    given_s: float


class Place(msgspec.Struct, frozen=True):
    """Where a walk is: after `at`, on the page of this number; `since` is None for a full one.

    `epoch` and `seq` are those of its beginning.
    """

    ask: dict[str, Any]
    page: int
    epoch: int
    seq: int
    since: Since | None = None
    at: Key | None = None


class Walk:
    """One page's worth of a walk over something with a `seq` and an `epoch`."""

    def __init__(
        self, visit: Visit, ask: Asked, what: str, *, epoch: int, seq: int, ttl_s: float
    ) -> None:
        self._visit = visit
        self._what = f"{what} {visit.account.email}"
        self._now = (epoch, seq)
        self.place = self._read(ask)
        since = self.place.since
        if since and (since.epoch != epoch or since.given_s + ttl_s <= visit.clock.now()):
            where = {"location": "syncToken", "locationType": "parameter"}
            raise Problem(410, "fullSyncRequired", _EXPIRED, "calendar", **where)

    @property
    def since(self) -> int | None:
        """The `seq` after which changes are wanted; None: everything is."""
        return self.place.since.seq if self.place.since else None

    def page(
        self, rows: Iterable[tuple[Key, Json]], wanted: int, *, ordered: bool = False
    ) -> tuple[list[Json], Json]:
        """The items of this page, and the token that goes beside them. Of rows that come in the
        order of their keys no more are looked at than are wanted."""
        size = page_size(wanted, self.place.page, sparse=self._visit.sparse)
        at = self.place.at
        after = (row for row in rows if at is None or row[0] > at)
        left = list(islice(after, size + 1)) if ordered else sorted(after, key=lambda row: row[0])
        items = [body for _, body in left[:size]]
        if len(left) <= size:
            return items, {"nextSyncToken": self._sync_token()}
        reached = left[size - 1][0] if size else at
        further = msgspec.structs.replace(self.place, page=self.place.page + 1, at=reached)
        return items, {"nextPageToken": self._visit.tokens.write(self._what, further)}

    def _sync_token(self) -> str:
        # Of a full walk its beginning counts: what changed since then may have been passed by. A
        # walk over changes is in their order, and has them all.
        epoch, seq = self._now if self.place.since else (self.place.epoch, self.place.seq)
        ask = {name: x for name, x in self.place.ask.items() if name not in _SYNC_APART}
        since = Since(ask, epoch, seq, self._visit.clock.now())
        return self._visit.tokens.write(f"sync {self._what}", since)

    def _read(self, ask: Asked) -> Place:
        """Raises Problem (400) for tokens of another list or another question."""
        now = bound(ask, apart_from=_PAGE_APART)
        if ask.page_token:
            place = self._visit.tokens.read(self._what, ask.page_token, Place)
            if place is None or place.ask != now:
                raise bad_parameter("pageToken", "Invalid page token value.")
            return place
        epoch, seq = self._now
        text = "" if isinstance(ask, ListInstances) else ask.sync_token
        if not text:
            return Place(now, 0, epoch, seq)
        since = self._visit.tokens.read(f"sync {self._what}", text, Since)
        if since is None:
            raise bad_parameter("syncToken", "Invalid sync token value.")
        if since.ask != bound(ask, apart_from=_SYNC_APART):
            raise bad_parameter("syncToken", "The parameters differ from the initial sync's.")
        return Place(now, 0, epoch, seq, since)
