"""A walk over a place: what is new or changed, page by page, and after that what is gone.

Nothing is remembered from run to run: the cursor says how far the walk is, and the marks of what
has landed say what is known. What is gone comes last, when it is known how much is left, so that a
file that was renamed is there under its new name before it goes under the old one.

The mark of a member of an archive is that of the archive, with the number of its members before
it: an archive of which so many are known is not opened.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice, takewhile

from headrace.errors import Skip
from headrace.files.archive import Archive
from headrace.files.place import INSIDE, LAST, Item, Place
from headrace.provider import JSON, BadRecord, Known, Page, Record

_PAGE_FILES = 32
_PAGE_BYTES = 16 << 20
_OF = "*"
_LOOK = 2_000  # marks, and files that have not changed, at a time


class Walk:
    """The walk of one stream, for as long as a leg lasts."""

    def __init__(self, place: Place, stream: str, known: Known) -> None:
        self._place = place
        self._stream = stream
        self._known = known
        self._archive: tuple[str, Archive] | None = None
        self._start("")

    def _start(self, after: str) -> None:
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
            self._start(after)
        wanted: list[Item] = []
        bad: list[BadRecord] = []
        unchanged, size, ended = 0, 0, False
        while len(wanted) < _PAGE_FILES and size < _PAGE_BYTES and unchanged < _LOOK:
            if not self._waiting:
                self._waiting.extend(await asyncio.to_thread(_take, self._items))
            if not self._waiting:
                ended = self._at == after
                break
            item = self._waiting.popleft()
            if item.takes is not None:
                if wanted:  # one archive is open at a time
                    self._waiting.appendleft(item)
                    break
                unchanged += await self._enter(item, bad)
                continue
            self._at = item.id
            mark = await self._mark(item.id)
            if mark is not None and self._place.same(mark, item.mark):
                unchanged += 1
            else:
                wanted.append(item)
                size += item.size
        seen += unchanged + len(wanted) + len(bad)
        records, unread = await asyncio.to_thread(self._read, wanted)
        go_on: JSON = {"gone": "", "seen": seen} if ended else {"after": self._at, "seen": seen}
        return Page(records, go_on, more=True, bad=[*bad, *unread], unchanged=unchanged)

    async def _enter(self, archive: Item, bad: list[BadRecord]) -> int:
        """Put an archive's members in front of what waits, those that the walk has not passed;
        or, if all of them are known as they are, only count them."""
        at = self._at
        known = await self._within(archive.id)
        if self._complete(archive, known.values()):
            self._at = archive.id + LAST
            return sum(name > at for name in known)
        try:
            members = await asyncio.to_thread(self._open, archive)
        except Skip as skip:
            bad.append(BadRecord(b"", skip.message, skip.hint, archive.id.removesuffix(INSIDE)))
            members = []
        members = [one for one in members if one.id > at]
        self._waiting.extendleft(reversed(members))
        self._at = at if members else archive.id + LAST
        return 0

    async def _within(self, prefix: str) -> dict[str, str]:
        """What is known with ids that begin like this."""
        found: dict[str, str] = {}
        after = prefix
        while True:
            some = await self._known(self._stream, after, _LOOK)
            found |= {name: mark for name, mark in some if name.startswith(prefix)}
            if len(some) < _LOOK or not some[-1][0].startswith(prefix):
                return found
            after = some[-1][0]

    def _complete(self, archive: Item, marks: Iterable[str]) -> bool:
        """Whether as many members are known of the archive as it stands as it has."""
        parts = [mark.partition(_OF) for mark in marks]
        counts = [int(count) for count, _, mark in parts if self._place.same(mark, archive.mark)]
        return bool(counts) and len(counts) == counts[0]

    def _open(self, archive: Item) -> list[Item]:
        """The members that are wanted, refused ones among them. Raises Skip."""
        assert archive.takes is not None
        self._archive = None  # before the next one is in memory
        content, now = self._place.read(archive)
        opened = Archive(archive.id.removesuffix(INSIDE), content)
        self._archive = archive.id, opened
        members = opened.members.values()
        wanted = [one for one in members if one.told or archive.takes(archive.id + one.path)]
        mark = f"{sum(not one.refused for one in wanted)}{_OF}{now.mark}"
        return [Item(archive.id + one.path, mark, one.size, now.modified) for one in wanted]

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
                content, now = self._bytes(item)
            except Skip as skip:
                bad.append(BadRecord(b"", skip.message, skip.hint, item.id))
            else:
                records.append(Record(item.id, content, now.modified, now.mark))
        return records, bad

    def _bytes(self, item: Item) -> tuple[bytes, Item]:
        if self._archive is not None and item.id.startswith(self._archive[0]):
            archive, opened = self._archive
            return opened.read(item.id.removeprefix(archive)), item
        return self._place.read(item)

    async def _gone(self, after: str, seen: int) -> Page:
        known = await self._known(self._stream, after, _LOOK)
        if not known:
            if not after and not seen:
                await asyncio.to_thread(self._place.nothing)
            return Page((), None, more=False)
        last = known[-1][0]
        there = await asyncio.to_thread(self._ids, after, last, dict(known))
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

    def _ids(self, after: str, last: str, known: dict[str, str]) -> set[str]:
        """What is there of the ids from `after` to `last`, of which these are known."""
        there: set[str] = set()
        for item in takewhile(lambda one: one.id <= last, self._place.items(after)):
            if item.takes is None:
                there.add(item.id)
                continue
            inside = {name: mark for name, mark in known.items() if name.startswith(item.id)}
            old = [
                mark
                for mark in inside.values()
                if not self._place.same(mark.partition(_OF)[2], item.mark)
            ]
            try:
                there |= {one.id for one in self._open(item)} if old else set(inside)
            except Skip:  # what cannot be opened for now has lost nothing
                there |= set(inside)
        return there


def _take(items: Iterator[Item]) -> list[Item]:
    return list(islice(items, _PAGE_FILES))
