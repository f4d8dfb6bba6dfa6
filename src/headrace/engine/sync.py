"""A leg of a sync job: some seconds of walking every slice that is still open.

A leg is what one durable step covers. It keeps nothing: what is done stands in the checkpoints.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Literal

import msgspec
import psycopg
from pydantic import ValidationError

from headrace import telemetry
from headrace.crashpoints import mark
from headrace.engine.allowance import Allowance, name_of
from headrace.engine.chain import follow_up
from headrace.engine.gather import LoopGuard
from headrace.engine.lanes import is_backfill
from headrace.engine.walk import Budget, Walk, survive
from headrace.errors import HeadraceError, NeedsHuman, Retry, Unavailable
from headrace.oauth.connect import lend_account
from headrace.oauth.keeper import Keeper
from headrace.plugins import provider as provider_named
from headrace.provider import Page, Provider, StreamPlan
from headrace.providers.documents import Documents
from headrace.settings import Settings
from headrace.store import allowances, connections, found, jobs
from headrace.store.checkpoints import Cancelled, Claim, Fenced, claim, seen_cursors
from headrace.store.connections import ConnectionRow, Part
from headrace.store.database import Database, unavailable
from headrace.store.landing import Landed, Landing
from headrace.store.sql import query
from headrace.store.uploads import OwnUploads
from headrace.text import clean_text
from headrace.vault import Vault

LEG_SECONDS = 5.0
SIDE_BY_SIDE = 4
"""Slices of one connection that are walked at the same time."""

_LONGEST_WORDS = 4000

State = Literal["done", "more", "capped", "retry", "human", "failed", "stop"]


class TooLate(HeadraceError):
    """The job has not ended by its deadline."""


class Deadly(HeadraceError):
    """Processes have ended while they ran the job, and nothing else that was suspected."""


class Outcome(msgspec.Struct):
    """How a part, a leg or a run ended. `after` is seconds to wait, where that is known, and
    `doubles` whether the next wait is twice as long; `failure` whether it counts as a failed
    attempt; `deadly` whether processes have ended with it; `code` is what a command ends with for
    this error."""

    state: State
    after: float | None = None
    error: str = ""
    hint: str = ""
    reauth: bool = False
    inserted: int = 0
    failure: bool | None = None
    doubles: bool = False
    deadly: bool = False
    code: int = HeadraceError.exit_code

    def __post_init__(self) -> None:
        if self.failure is None:
            self.failure = self.after is None
        # They quote sources, and have to pass through PostgreSQL: the engine's tables and ours.
        self.error = clean_text(self.error[:_LONGEST_WORDS])
        self.hint = clean_text(self.hint[:_LONGEST_WORDS])


def outcome_of(error: Exception, where: str) -> Outcome:
    """How a walk ends that raised this."""
    if isinstance(error, psycopg.OperationalError):
        error = unavailable(error)
    if not isinstance(error, HeadraceError):
        telemetry.bug(where, error)
        return Outcome("failed", None, f"A bug: {error!r}.", "Report it; what landed is kept.")
    # What is wrong with a spec or a source today is wrong with it in ten seconds as well.
    ended = Outcome("human", None, error.message, error.hint, code=error.exit_code)
    match error:
        case Retry():
            ended.state, ended.after, ended.failure = "retry", error.after, error.failure
            ended.doubles = error.doubles
        case Unavailable():
            ended.state, ended.after, ended.failure = "retry", 1.0, False
        case NeedsHuman():
            ended.reauth = error.reauth
        case Deadly():
            ended.deadly = True
        case Fenced() | Cancelled():
            ended.state = "stop"
    return ended


class Source:
    """A connection brought to life for one leg: its provider, made once."""

    def __init__(
        self, database: Database, settings: Settings, vault: Vault, row: ConnectionRow
    ) -> None:
        self._database = database
        self.row = row
        secret = None
        if row["credential"] is not None:
            secret = vault.open(
                row["credential"], tenant=row["tenant_id"], connection=row["connection_id"]
            )
        made = provider_named(row["provider"])
        if made.local and not row["trusted"]:
            raise NeedsHuman(
                f"The connection {row['name']} would read this machine's files.",
                hint="Only whoever runs Headrace may connect such a source, by `headrace ingest`.",
            )
        try:
            config = made.Config.model_validate(row["config"])
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(map(str, first["loc"]))
            raise NeedsHuman(
                f"The connection {row['name']} is not configured right: {where}: {first['msg']}.",
                hint=f"Correct it and connect again; {made.name} wants what its reference says.",
            ) from None
        self.provider: Provider = made(config, secret=secret)
        self.provider.trusted = row["trusted"]
        self.provider.private_hosts = row["trusted"] or settings.headrace_private_hosts
        self.provider.roots = None if row["trusted"] else settings.document_roots
        self.provider.known = self._known
        if isinstance(self.provider, Documents):
            self.provider.uploads = OwnUploads(database, row["tenant_id"], row["user_id"])
        self.allowance = Allowance(database, row, self.provider.units_per_minute)
        self.provider.spend, self.provider.hold_off = self.allowance.spend, self.allowance.hold_off
        self.provider.heard = self.allowance.heard
        lend_account(self.provider, settings)
        if row["grant_id"] is not None:
            keeper = Keeper(database, vault, settings, row["tenant_id"], row["grant_id"])
            self.provider.token = keeper.token
        self._noted: set[int] = set()
        self._expected: set[int] = set()

    async def plan(self) -> list[Part]:
        """Ask the source for its streams, and make what is needed to walk them. Raises NeedsHuman
        where another connection fetches the account already."""
        twice: NeedsHuman | None = None
        plans: Sequence[StreamPlan] = await self.provider.streams()
        owner = await self.provider.owner() if self.provider.issuer is not None else None
        with self._database.transaction() as connection:
            if self.provider.issuer is None:
                # Nobody else uses it, and whoever asks anew wants to know what the source says now.
                allowances.forget(connection, self.row["tenant_id"], name_of(self.row))
            if owner is not None:
                connections.owned(connection, self.row, owner)
                twice = found.step_aside(connection, self.row)
            if twice is None:
                return connections.plan(connection, self.row, plans, beside=self.provider.settles)
        raise twice

    async def _known(self, stream: str, after: str, limit: int) -> list[tuple[str, str]]:
        values = {"tenant": self.row["tenant_id"], "connection": self.row["connection_id"]}
        values |= {"stream": stream, "after": after, "limit": limit}

        def look() -> list[tuple[str, str]]:
            with self._database.connection() as connection:
                rows = connection.execute(query("landing", "known"), values).fetchall()
            return [(row["source_id"], row["mark"]) for row in rows]

        return await asyncio.to_thread(look)

    def left(self, job_id: str) -> int | None:
        """How many records this job may still fetch; None where its provider sets no cap."""
        cap = self.provider.items_per_run
        if cap is None:
            return None
        with self._database.connection() as connection:
            return cap - jobs.totals(connection, self.row["tenant_id"], job_id)["fetched"]

    def is_backfill(self, job_id: str) -> bool:
        """Whether the job leaves what its account may borrow to others: by its lane, or because it
        has landed more than what is over soon does."""
        with self._database.connection() as connection:
            return is_backfill(connection, self.row["tenant_id"], job_id)

    async def walk(self, job_id: str, part: Part, budget: Budget) -> Outcome:
        """Walk one slice for a while. Every way it can end becomes an Outcome."""
        try:
            landed, complete = await self._walk(job_id, part, budget)
        except Exception as error:  # noqa: BLE001 - outcome_of knows each kind, and logs bugs
            return outcome_of(error, f"walk of {part.stream}")
        inserted = sum(one.inserted for one in landed)
        state: State = "done" if complete else "capped" if budget.capped else "more"
        return Outcome(state, inserted=inserted)

    async def _walk(self, job_id: str, part: Part, budget: Budget) -> tuple[list[Landed], bool]:
        with self._database.connection() as connection:
            claimed = self._claim(connection, job_id, part)
            guard = LoopGuard(seen_cursors(connection, claimed))
            content = self._content(connection, part)
        mark("claimed")
        if claimed.done:
            return [], True
        landing = Landing(
            self._database, claimed, follow_up(content), ordered=self.provider.ordered
        )
        walk = Walk(
            self._database,
            self.provider,
            part.stream,
            claimed,
            landing,
            guard,
            budget,
            note=self._note(job_id, part),
        )
        landed = await survive(self._database, claimed, walk.run)
        return landed, walk.complete

    def _claim(self, connection: Any, job_id: str, part: Part) -> Claim:
        return claim(
            connection,
            tenant=self.row["tenant_id"],
            user=self.row["user_id"],
            stream_id=part.stream_id,
            slice_=part.slice,
            job_id=job_id,
        )

    @staticmethod
    def _content(connection: Any, part: Part) -> str:
        found = connection.execute(
            "SELECT content FROM headrace.streams WHERE stream_id = %s", [part.stream_id]
        ).fetchone()
        return str(found["content"])

    def _note(self, job_id: str, part: Part) -> Callable[[Page], Awaitable[None]]:
        """Logs what the source's pages say of themselves, and keeps how much they say there is:
        once a leg."""

        async def note(page: Page) -> None:
            if page.notes and part.stream_id not in self._noted:
                self._noted.add(part.stream_id)
                telemetry.note(self.row["name"], part.stream, page.notes)
            # Of a slice it says nothing about the others.
            if page.left is not None and not part.slice and part.stream_id not in self._expected:
                self._expected.add(part.stream_id)
                more = len(page.records) + len(page.bad) + page.left
                await asyncio.to_thread(self._expect, part.stream_id, job_id, more)

        return note

    def _expect(self, stream_id: int, job_id: str, more: int) -> None:
        with self._database.connection() as connection:
            connections.expect(connection, stream_id, job_id, more)

    async def aclose(self) -> None:
        """Give the provider's connections and files back."""
        await self.provider.aclose()


async def leg(source: Source, job_id: str, parts: Sequence[Part]) -> list[Outcome]:
    """Walk the parts side by side until each ends, the leg's time is up or the run has fetched as
    much as one may; in the parts' order."""
    budget = Budget(LEG_SECONDS, await asyncio.to_thread(source.left, job_id))
    source.allowance.patient = await asyncio.to_thread(source.is_backfill, job_id)
    places = asyncio.Semaphore(SIDE_BY_SIDE)

    async def one(part: Part) -> Outcome:
        async with places:
            if budget.spent:
                return Outcome("capped" if budget.capped else "more")
            return await source.walk(job_id, part, budget)

    return list(await asyncio.gather(*[one(part) for part in parts]))
