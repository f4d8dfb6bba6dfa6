"""Adaptive commits: small pages are gathered until a commit is worth its price."""

from __future__ import annotations

import hashlib
import json

from headrace.errors import HeadraceError
from headrace.provider import JSON, BadRecord, Census, Page, Record
from headrace.store.census import joined
from headrace.store.landing import Gathered

# A commit costs about as much as a few hundred rows; past 10,000 rows nothing is gained by more.
ROWS = 10_000
BYTES = 16 << 20
SECONDS = 0.4

_PAGES_IN_A_WALK = 5_000_000
"""The cap of rule R2: more pages than any real walk has."""


class Gathering:
    """Pages on their way into one commit."""

    def __init__(self, cursor: JSON, records: int | None = None) -> None:
        self.cursor = cursor
        self._most = records or ROWS
        self._start(cursor)

    def _start(self, cursor: JSON) -> None:
        self.records: list[Record] = []
        self.bad: list[BadRecord] = []
        self.pages = 0
        self.unchanged = 0
        self.bytes = 0
        self.hashes: list[bytes] = []
        self.complete = False
        self.before = cursor
        self.census: Census | None = None

    def add(self, page: Page, mark: bytes | None) -> None:
        """Take one more page; `mark` is the hash of its cursor."""
        self.records.extend(page.records)
        self.bad.extend(page.bad)
        self.pages += 1
        self.unchanged += page.unchanged
        self.bytes += size(page)
        self.cursor = page.cursor
        self.complete = not page.more
        if page.census is not None:
            self.census = joined(self.census, page)
        if mark is not None:
            self.hashes.append(mark)

    @property
    def full(self) -> bool:
        """Whether it is worth a commit without waiting for more."""
        swept = self.census is not None and self.census.last
        return self.complete or swept or len(self.records) >= self._most or self.bytes >= BYTES

    def take(self) -> Gathered:
        """What has been gathered, and begin anew after it."""
        taken = Gathered(
            records=self.records,
            bad=self.bad,
            cursor_before=self.before,
            cursor_after=self.cursor,
            complete=self.complete,
            pages=self.pages,
            unchanged=self.unchanged,
            payload_bytes=self.bytes,
            cursor_hashes=self.hashes,
            census=self.census,
        )
        self._start(self.cursor)
        return taken


def size(page: Page) -> int:
    """The bytes a page holds in memory, near enough to bound it."""
    return sum([len(one.payload) for one in page.records]) + sum([len(b.raw) for b in page.bad])


class LoopGuard:
    """Rule R2: a walk that is given a cursor it has been given before would never end."""

    def __init__(self, seen: set[bytes]) -> None:
        self._seen = seen

    def check(self, page: Page) -> bytes | None:
        """The mark of the page's cursor. Raises HeadraceError on a repeat or an endless walk."""
        if not page.more:
            return None
        text = json.dumps(page.cursor, sort_keys=True).encode()
        mark = hashlib.blake2b(text, digest_size=8).digest()
        if mark in self._seen or len(self._seen) >= _PAGES_IN_A_WALK:
            raise LoopingSource(
                "The source gave a cursor that this walk has had before: it would never end.",
                hint="Check the spec's pagination against the API; what was landed is kept.",
            )
        self._seen.add(mark)
        return mark


class LoopingSource(HeadraceError):
    """The source's pages lead in a circle."""
