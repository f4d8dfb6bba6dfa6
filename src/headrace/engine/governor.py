"""What this process knows of allowances: what it has drawn of each, and what their sources say.

Whoever works on an account here shares one `Account`, whatever walk it is in: one draw pays for
many calls, and those who wait for it wait for the same one.
"""

from __future__ import annotations

import asyncio
import math
import time
from asyncio import AbstractEventLoop
from contextlib import suppress
from weakref import WeakKeyDictionary

from headrace import telemetry
from headrace.engine.lease import Lease
from headrace.errors import Retry
from headrace.provider import Standing
from headrace.store import allowances
from headrace.store.allowances import Window
from headrace.store.database import Database

Whose = tuple[str, str, str]
"""Tenant, user, and the name of the allowance."""

_IDLE = 60.0
"""Seconds after which an account that nobody here uses is forgotten."""

_SELDOM = 1.0
"""Seconds from one writing of what a source says to the next."""

_SURPLUS = 5.0
"""Seconds for which a source must say that there is more than was drawn: calls that cost nothing.
For a shorter time that is what other processes have drawn and not used yet."""

_LEAST_POLL = 0.05
_USED_UP = "{} has used its allowance for now."


class Line:
    """Those of one process who draw alike, behind one lock."""

    def __init__(self) -> None:
        self.lease = Lease()
        self.lock = asyncio.Lock()
        self.waiting = 0
        self.ahead: asyncio.Task[None] | None = None  # a draw that nobody waits for
        self.refused = (-math.inf, 0, 0.0)  # the last one: when, how many units, and the wait


class Account:
    """One allowance, in one process."""

    def __init__(self, database: Database, whose: Whose) -> None:
        self._database = database
        self._whose = whose
        self._lines = {False: Line(), True: Line()}
        self._looked = False
        self._governed = False
        self._window: tuple[float, Window] | None = None  # and when it was that
        self._surplus: float | None = None
        self._wrote = self._lowered = -_SELDOM
        self._evenly = False
        self.used_at = time.monotonic()

    async def governed(self) -> bool:
        """Whether anything is known of an account without a configured rate. Looked up once; after
        that, its own answers tell."""
        self.used_at = time.monotonic()
        if not self._looked:
            tenant, _, allowance = self._whose

            def look() -> bool:
                with self._database.connection() as connection:
                    return allowances.is_governed(connection, tenant, allowance)

            self._governed = await asyncio.to_thread(look) or self._governed
            self._looked = True
        return self._governed

    async def spend(self, units: int, per_minute: float | None, name: str, patient: bool) -> None:
        """Wait until they may be used. Raises Retry where that would take long."""
        line = self._lines[patient]
        self.used_at = came = time.monotonic()
        ready = line.lease.pay(units, came)
        if ready is None:
            line.waiting += units
            try:
                async with line.lock:
                    ready = line.lease.pay(units, time.monotonic())
                    while ready is None:
                        at, least, after = line.refused
                        if came <= at and units >= least:  # that draw was for this one as well
                            raise Retry(_USED_UP.format(name), after=after)
                        await self._draw(line, units, per_minute, name, patient)
                        ready = line.lease.pay(units, time.monotonic())
            finally:
                line.waiting -= units
        elif ready <= came and line.lease.is_low and not line.lock.locked():
            line.ahead = asyncio.create_task(self._draw_ahead(line, per_minute, name, patient))
        if (wait := ready - time.monotonic()) > 0:
            await asyncio.sleep(wait)

    async def _draw_ahead(
        self, line: Line, per_minute: float | None, name: str, patient: bool
    ) -> None:
        async with line.lock:
            if line.lease.is_low:
                with suppress(Exception):  # whoever needs it will draw, and hear what is wrong
                    await self._draw(line, 1, per_minute, name, patient)

    async def _draw(
        self, line: Line, units: int, per_minute: float | None, name: str, patient: bool
    ) -> None:
        """Draw once for all who wait. Raises Retry; with patience, tries again first."""
        began = time.monotonic()
        while True:
            want = max(line.waiting, line.lease.wish(time.monotonic()))

            def draw(want: int = want) -> allowances.Drawn:
                with self._database.connection() as connection:
                    return allowances.draw(
                        connection, *self._whose, units, per_minute, want=want, patient=patient
                    )

            drawn = await asyncio.to_thread(draw)
            now = time.monotonic()
            self._window = None if drawn.window is None else (now, drawn.window)
            if drawn.evenly and not self._evenly:
                telemetry.allowance_evenly(name, 60 / drawn.each)
            self._evenly = drawn.evenly
            if drawn.made:
                line.lease.add(drawn, now)
                return
            if not patient or now + drawn.wait > began + allowances.LONGEST:
                line.refused = (now, units, drawn.wait)
                raise Retry(_USED_UP.format(name), after=drawn.wait)
            await asyncio.sleep(max(_LEAST_POLL, drawn.wait))

    async def hold_off(self, seconds: float) -> None:
        """Nobody uses anything for so long."""
        self._governed = True
        for line in self._lines.values():
            line.lease.drop()

        def hold_off() -> None:
            with self._database.connection() as connection:
                allowances.hold_off(connection, *self._whose, seconds)

        await asyncio.to_thread(hold_off)

    async def lower(self, name: str) -> None:
        """The rate was refused. The others will not be, and nothing is written twice for it."""
        now = time.monotonic()
        if now < self._lowered + _SELDOM:
            return
        self._lowered = now

        def lower() -> float | None:
            with self._database.connection() as connection:
                return allowances.lower(connection, *self._whose)

        share = await asyncio.to_thread(lower)
        if share is not None:
            telemetry.allowance_lowered(name, share)

    async def heard(self, said: Standing) -> None:
        """Keep what a source says, where it is news."""
        now = time.monotonic()
        window = Window(said.limit, said.remaining, said.seconds)
        more = self._is_more(window, now)
        if not (more or self._is_less(window, now)) or now < self._wrote + _SELDOM:
            return
        # Others hear the same meanwhile, and have nothing to say then.
        self._governed, self._wrote, self._surplus = True, now, None
        self._window = (now, window)

        def learn() -> Window:
            with self._database.connection() as connection:
                return allowances.learn(connection, *self._whose, window, more=more)

        kept = await asyncio.to_thread(learn)
        self._window = (time.monotonic(), kept)

    def _is_less(self, said: Window, now: float) -> bool:
        """Whether it is another window, or less is left of it than all workers have left there."""
        if self._window is None:
            return True
        at, known = self._window
        left = at + known.seconds - now
        if left <= 0 or abs(said.seconds - left) > allowances.SAME_WINDOW:
            return True
        return said.remaining < known.remaining - max(1.0, 0.02 * said.most)

    def _is_more(self, said: Window, now: float) -> bool:
        """Whether it has been saying for a while that more is left."""
        known = self._window
        if known is None or said.remaining <= known[1].remaining + allowances.margin(said.most):
            self._surplus = None
            return False
        self._surplus = self._surplus or now
        return now > self._surplus + _SURPLUS


_here: WeakKeyDictionary[AbstractEventLoop, dict[tuple[str, Whose], Account]]
_here = WeakKeyDictionary()


def account(database: Database, whose: Whose) -> Account:
    """The account as this process knows it; each event loop for itself, as locks are of one."""
    accounts = _here.setdefault(asyncio.get_running_loop(), {})
    key = (database.url, whose)
    if (found := accounts.get(key)) is None:
        idle = time.monotonic() - _IDLE
        for old in [one for one, kept in accounts.items() if kept.used_at < idle]:
            del accounts[old]
        found = accounts[key] = Account(database, whose)
    return found
