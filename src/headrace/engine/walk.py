"""Walking one slice: the next page is on the wire while the last ones are written.

Fetching and committing are two tasks with a bounded queue between them; commits stay in order. The
checkpoint is the truth: a walk that is killed goes on from the last commit, and fetches again at
most what had not been committed.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from headrace import telemetry
from headrace.crashpoints import mark
from headrace.engine import handoff
from headrace.engine.gather import BYTES, SECONDS, Gathering, LoopGuard, size
from headrace.engine.leaving import leaving
from headrace.errors import Expired, HeadraceError, Retry
from headrace.provider import Page, Provider
from headrace.store.checkpoints import Claim, restart_walk
from headrace.store.database import Database
from headrace.store.landing import Gathered, Landed, Landing
from headrace.store.quarantine import REFUSED, quarantine

RESTARTS = 10
"""Walks begun again for an expired cursor before a walk must have come to its end."""


_PAGES_AHEAD = 100
"""Pages that may wait to be written, however small they are."""


class Budget:
    """How long a leg may go on, and how many records the run may still fetch (A1.6, A1.8)."""

    def __init__(self, seconds: float, records: int | None) -> None:
        self._until = time.monotonic() + seconds
        self.records = records

    @property
    def spent(self) -> bool:
        """Whether it is time to stop at the next page."""
        return self.capped or leaving() or time.monotonic() >= self._until

    @property
    def capped(self) -> bool:
        """Whether the run has fetched as much as one may."""
        return self.records is not None and self.records <= 0


class Walk:
    """One slice, walked by one leg."""

    def __init__(
        self,
        database: Database,
        provider: Provider,
        stream: str,
        claim: Claim,
        landing: Landing,
        guard: LoopGuard,
        budget: Budget,
        *,
        note: Callable[[Page], Awaitable[None]],
    ) -> None:
        self._database = database
        self._provider = provider
        self._stream = stream
        self._claim = claim
        self._landing = landing
        self._guard = guard
        self._budget = budget
        self._note = note
        self._pages: asyncio.Queue[tuple[Page, bytes | None] | None] = asyncio.Queue()
        self._waiting_bytes = 0
        self._room = asyncio.Event()
        self._landed: list[Landed] = []
        self.complete = False

    async def run(self) -> list[Landed]:
        """Walk until the end or the budget. Returns what was landed; raises what stopped it, after
        everything fetched before it has been committed."""
        fetching = asyncio.create_task(self._fetch())
        try:
            await self._commit()
        except BaseException:
            fetching.cancel()
            await asyncio.gather(fetching, return_exceptions=True)
            raise
        await fetching
        return self._landed

    async def _fetch(self) -> None:
        cursor = self._claim.cursor
        try:
            while not self._budget.spent:
                page = await self._provider.fetch(self._stream, self._claim.slice, cursor)
                await self._note(page)
                hashed = self._guard.check(page)
                self._waiting_bytes += size(page)
                if self._budget.records is not None:
                    self._budget.records -= len(page.records) + len(page.bad)
                await self._pages.put((page, hashed))
                if not page.more:
                    return
                cursor = page.cursor
                # A source that never waits, such as a file, must let the others have their turn.
                await asyncio.sleep(0)
                self._room.clear()
                self._make_room()
                await self._room.wait()
        finally:
            # Whatever ended the fetching, what came before it is committed.
            self._pages.put_nowait(None)

    async def _commit(self) -> None:
        gathering = Gathering(self._claim.cursor, self._provider.records_per_commit)
        ended = False
        while not ended:
            until = time.monotonic() + SECONDS
            while not gathering.full:
                arrived = await self._next(None if not gathering.pages else until)
                if arrived is None:
                    ended = True
                    break
                if arrived is _TIME:
                    break
                page, hashed = arrived
                if not gathering.pages:
                    until = time.monotonic() + SECONDS
                gathering.add(page, hashed)
            if gathering.pages:
                taken = gathering.take()
                mark("before-commit")
                landed = await land(self._landing, taken)
                if landed.fresh and landed.inserted == len(taken.records):
                    handoff.give(
                        self._database, landed.batch_id, taken.records, taken.payload_bytes
                    )
                self._landed.append(landed)
                mark("after-commit")
                self.complete = taken.complete
                self._waiting_bytes -= taken.payload_bytes
                self._make_room()

    def _make_room(self) -> None:
        if self._waiting_bytes <= BYTES and self._pages.qsize() < _PAGES_AHEAD:
            self._room.set()

    async def _next(self, until: float | None) -> tuple[Page, bytes | None] | None:
        try:
            if until is None or not self._pages.empty():
                return await self._pages.get()
            return await asyncio.wait_for(self._pages.get(), until - time.monotonic())
        except TimeoutError:
            return _TIME
        finally:
            self._make_room()


_TIME: tuple[Page, bytes | None] = (Page(records=(), cursor=None, more=True), None)


async def land(landing: Landing, gathered: Gathered) -> Landed:
    """Commit in a thread. What PostgreSQL refuses for one record's sake is found and buried."""
    try:
        return await asyncio.to_thread(landing.land, gathered)
    except REFUSED as refusal:
        try:
            sifted = quarantine(gathered)
        except HeadraceError:
            telemetry.bug("landing", refusal)
            raise
        return await asyncio.to_thread(landing.land, sifted)


async def survive(
    database: Database, claim: Claim, walk: Callable[[], Awaitable[list[Landed]]]
) -> list[Landed]:
    """Run a walk, turning an expired cursor into a walk from the start: rule R18."""
    try:
        return await walk()
    except Expired as expired:
        if claim.cursor == expired.cursor or claim.restarts >= RESTARTS:
            raise HeadraceError(
                "The source refuses its own cursors: this walk was begun again and did not end.",
                hint=f"It last said: {expired.message} Smaller pages, or slices, may outrun it.",
            ) from expired
        await asyncio.to_thread(restart_walk, database, claim, expired.cursor)
        mark("restarted")
        raise Retry("The cursor had expired; the walk begins again.", after=0) from expired
