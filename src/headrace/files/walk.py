"""A walk over a place: what is new or changed, page by page, and after that what is gone.

Nothing is remembered from run to run: the cursor says how far the walk is, and the marks of what
has landed say what is known. What is gone comes last, when it is known how much is left, so that a
file that was renamed is there under its new name before it goes under the old one.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator
from itertools import islice, takewhile

from headrace.errors import Skip
from headrace.files.place import Item, Place
from headrace.provider import JSON, BadRecord, Known, Page, Record

_PAGE_FILES = 32
_PAGE_BYTES = 16 << 20
_LOOK = 2_000  # marks, and files that have not changed, at a time


class Walk:
    """The walk of one stream, for as long as a leg lasts."""

    def __init__(self, place: Place, stream: str, known: Known) -> None:
        self._place = place
        self._stream = stream
        self._known = known
        self._open_at("")

    def _open_at(self, after: str) -> None:
        self._at = after
        self._items = self._place.items(after)
        self._waiting: deque[Item] = deque()
        self._marks: dict[str, str] = {}
        self._marked_to: str | None = after  # None: there are no more

    async def page(self, cursor: JSON) -> Page:
        """The page at `cursor`. Raises what the place raises."""
        at = cursor if isinstance(cursor, dict) else {}
        seen = int(at.get("seen", 0))
        if "gone" in at:
            return await self._gone(str(at["gone"]), seen)
        return await self._files(str(at.get("after", "")), seen)

    async def _files(self, after: str, seen: int) -> Page:
        if after != self._at:
            self._open_at(after)
        wanted: list[Item] = []
        unchanged, size = 0, 0
        while len(wanted) < _PAGE_FILES and size < _PAGE_BYTES and unchanged < _LOOK:
            if not self._waiting:
                self._waiting.extend(await asyncio.to_thread(_take, self._items))
            if not self._waiting:
                break
            item = self._waiting.popleft()
            self._at = item.id
            mark = await self._mark(item.id)
            if mark is not None and self._place.same(mark, item.mark):
                unchanged += 1
            else:
                wanted.append(item)
                size += item.size
        seen += unchanged + len(wanted)
        records, bad = await asyncio.to_thread(self._read, wanted)
        ended = not self._waiting and not wanted and not unchanged
        go_on: JSON = {"gone": "", "seen": seen} if ended else {"after": self._at, "seen": seen}
        return Page(records, go_on, more=True, bad=bad, unchanged=unchanged)

    async def _mark(self, wanted: str) -> str | None:
        while self._marked_to is not None and wanted > self._marked_to:
            found = await self._known(self._stream, self._marked_to, _LOOK)
            self._marks = dict(found)
            self._marked_to = found[-1][0] if len(found) == _LOOK else None
        return self._marks.get(wanted)

    def _read(self, wanted: list[Item]) -> tuple[list[Record], list[BadRecord]]:
        records: list[Record] = []
        bad: list[BadRecord] = []
        for item in wanted:
            try:
                content, now = self._place.read(item)
            except Skip as skip:
                bad.append(BadRecord(b"", skip.message, skip.hint, item.id))
            else:
                records.append(Record(item.id, content, now.modified, now.mark))
        return records, bad

    async def _gone(self, after: str, seen: int) -> Page:
        known = await self._known(self._stream, after, _LOOK)
        if not known:
            return Page((), None, more=False)
        last = known[-1][0]
        there = await asyncio.to_thread(self._ids, after, last)
        gone = {name: mark for name, mark in known if name not in there}
        go_on: JSON = {"gone": last, "seen": seen}
        more = len(known) == _LOOK
        reason = await asyncio.to_thread(self._place.keeps, gone, empty=not seen) if gone else None
        if reason is not None:
            letter = BadRecord(
                b"",
                f"{reason}: nothing was deleted.",
                "If a mount is missing, mount it and run again; if they are meant to go, remove the"
                " connection.",
                f"{self._stream} is empty",
            )
            return Page((), go_on if more else None, more=more, bad=[letter])
        tombs = [Record(name, b"", gone=True) for name in gone]
        return Page(tombs, go_on if more else None, more=more)

    def _ids(self, after: str, last: str) -> set[str]:
        return {one.id for one in takewhile(lambda one: one.id <= last, self._place.items(after))}


def _take(items: Iterator[Item]) -> list[Item]:
    return list(islice(items, _PAGE_FILES))
