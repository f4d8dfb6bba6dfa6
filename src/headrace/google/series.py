"""Changes of a calendar, and what of a series goes when the series goes (rule C7)."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence

from headrace.google.events import Events, Told, gone
from headrace.provider import Record

_OCCURRENCE = re.compile(r"\d{8}(?:T\d{6}Z)?")
"""What stands behind `<series>_` in an exception's id. A series that was cut in two goes on as
`<series>_R20260105T080000`: it is another one."""

_AT_ONCE = 1_000

Known = Callable[[str, int], Awaitable[list[tuple[str, str]]]]
Lives = Callable[[str], Awaitable[bool]]


class Series:
    """The series of one calendar, as far as one leg sees them.

    `known` gives what has been landed after an id; `lives` asks Google whether an event is there.
    What this leg has fetched may not have been landed yet: it is remembered here.
    """

    def __init__(self, known: Known, lives: Lives) -> None:
        self._known = known
        self._asks = lives
        self._exceptions: dict[str, set[str]] = {}
        self._living: set[str] = set()
        self._gone: set[str] = set()

    async def settle(self, changes: Sequence[Told], page: Events) -> list[Record]:
        """The records of a page of changes, with the tombstones that follow from it."""
        records: list[Record] = []
        for one in changes:
            name = one.record.source_id
            if one.cancelled and one.master is None:
                ends = [name, *await self._exceptions_of(name)]
                self._note(name, lives=False)
            elif one.cancelled and not await self._is_there(str(one.master)):
                ends = [name]
            else:
                ends = []
                records.append(one.record)
                self._note(name, lives=True)
                if one.master is not None:
                    self._exceptions.setdefault(one.master, set()).add(name)
            records += [gone(each, page) for each in ends]
        return records

    def _note(self, name: str, *, lives: bool) -> None:
        to, away = (self._living, self._gone) if lives else (self._gone, self._living)
        to.add(name)
        away.discard(name)

    async def _is_there(self, master: str) -> bool:
        """Whether a series lives. It may come on a later page than its exception, and be unknown
        here; and an exception may be all of a series that somebody was invited to."""
        if master not in self._living and master not in self._gone:
            lives = await self._is_known(master) or await self._asks(master)
            self._note(master, lives=lives)
        return master in self._living

    async def _is_known(self, name: str) -> bool:
        before = name[:-1] + chr(max(0, ord(name[-1]) - 1)) + "\U0010ffff"
        return [found for found, _ in await self._known(before, 1)] == [name]

    async def _exceptions_of(self, master: str) -> list[str]:
        """The ids of all its exceptions that may be there."""
        start = after = f"{master}_"
        found = self._exceptions.pop(master, set())
        while True:
            ids = [name for name, _ in await self._known(after, _AT_ONCE)]
            ours = [name for name in ids if name.startswith(start)]
            found.update(name for name in ours if _OCCURRENCE.fullmatch(name[len(start) :]))
            if len(ours) < _AT_ONCE:
                return sorted(found)
            after = ours[-1]
