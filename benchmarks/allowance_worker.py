"""A process that calls a source for a while, as walks do: drawn, asked, and what is said is heard.

allowance_worker.py '{"database": URL, "source": URL, "allowance": ..., ...}': see `Work`. It says
`ready`, begins with the first line on standard input, and writes what it did as JSON.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import msgspec

from headrace import telemetry
from headrace.engine.allowance import Allowance
from headrace.errors import HeadraceError, Retry
from headrace.http import Client, Policy
from headrace.store import allowances
from headrace.store.database import Connection, Database

Governor = Literal["leases", "a statement a call", "none"]


class Work(msgspec.Struct, kw_only=True):
    """What to call, how often at a time and for how long, in seconds. `per_minute` is the
    configured rate in units, `units` what a call costs; `connection` tells connections apart that
    share the account `grant`."""

    database: str
    source: str
    path: str = "/events?limit=1"
    token: str = ""
    governor: Governor = "leases"
    grant: str = "account"
    connection: str = "one"
    per_minute: float | None = None
    units: int = 1
    patient: bool = False
    at_once: int = 4
    seconds: float = 5.0
    warm: float = 0.0
    """Seconds after the beginning from which on refusals count as after warm-up."""
    calls: int = 1_000_000_000


class Did(msgspec.Struct):
    """What came of it. `governing` and `calling` are seconds, summed up over all calls; `ends` are
    when calls were sent, in seconds since 1970."""

    calls: int = 0
    refused: int = 0
    refused_late: int = 0
    parked: int = 0
    statements: int = 0
    governing: float = 0.0
    calling: float = 0.0
    ends: list[float] = []
    refusals: list[float] = []


class Counting(Database):
    """Counts how often it is asked."""

    asked = 0

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """As that of every database."""
        self.asked += 1
        with super().connection() as connection:
            yield connection


class Caller:
    """One process's calls."""

    def __init__(self, work: Work, database: Counting) -> None:
        self._work = work
        self._database = database
        row = {"tenant_id": "acme", "user_id": "ann", "provider": "account", "name": work.grant}
        row |= {"grant_id": work.grant, "connection_id": work.connection}
        self._allowance = Allowance(database, row, work.per_minute)
        self._allowance.patient = work.patient
        governed = work.governor != "none"
        self._client = Client(
            work.source,
            headers={"Authorization": f"Bearer {work.token}"} if work.token else {},
            policy=Policy(private_hosts=True, retries=0, max_wait=0.0),
            limited=self._allowance.hold_off if governed else None,
            heard=self._allowance.heard if work.governor == "leases" else None,
        )
        self.did = Did()

    async def run(self) -> None:
        """Call until the time is over."""
        self._began = time.monotonic()
        self._until = self._began + self._work.seconds
        await asyncio.gather(*[self._go_on() for _ in range(self._work.at_once)])
        await self._client.aclose()
        self.did.statements = self._database.asked

    async def _go_on(self) -> None:
        did = self.did
        while (now := time.monotonic()) < self._until and did.calls < self._work.calls:
            try:
                await self._spend()
            except Retry as wait:
                did.parked += 1
                await asyncio.sleep(min(wait.after or 0.1, self._until - now))
                continue
            asked = time.monotonic()
            if asked >= self._until:
                return
            did.governing += asked - now
            did.calls += 1
            did.ends.append(time.time())
            try:
                await self._client.request("GET", self._work.path)
            except HeadraceError as refused:
                did.refused += 1
                did.refusals.append(time.time())
                did.refused_late += asked > self._began + self._work.warm
                if isinstance(refused, Retry) and self._work.governor == "none":
                    await asyncio.sleep(min(refused.after or 0.1, self._until - asked))
            did.calling += time.monotonic() - asked

    async def _spend(self) -> None:
        work = self._work
        if work.governor == "leases":
            await self._allowance.spend(work.units)
        elif work.governor == "a statement a call" and work.per_minute is not None:
            drawn = await asyncio.to_thread(self._draw)
            if not drawn.made:
                raise Retry("Used up.", after=drawn.wait)
            await asyncio.sleep(max(0.0, drawn.starts + drawn.units * drawn.each))

    def _draw(self) -> allowances.Drawn:
        work = self._work
        whose = ("acme", "ann", f"account:{work.grant}")
        with self._database.connection() as connection:
            return allowances.draw(connection, *whose, work.units, work.per_minute)


def main(text: str) -> None:
    """The command."""
    telemetry.configure("CRITICAL")
    work = msgspec.json.decode(text, type=Work)
    database = Counting(work.database, name="allowance", connections=2)
    database.open()
    caller = Caller(work, database)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    asyncio.run(caller.run())
    database.close()
    sys.stdout.write(msgspec.json.encode(caller.did).decode() + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
