"""The door at Redis: entries of its stream become jobs, each exactly once.

An entry is acknowledged only after its jobs are committed. Whoever dies in between leaves it
pending; it is read again, and found in `redis_entries`. PostgreSQL away: nothing is acknowledged,
and nothing new is read. Redis away: what was committed stays so, and the door waits.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

import psycopg
import redis

from headrace import telemetry
from headrace.crashpoints import mark
from headrace.engine.turns import dispatch
from headrace.errors import BadInput, HeadraceError
from headrace.redis_streams.entry import Asked, Entry, understood
from headrace.redis_streams.group import Group, Read, Refused
from headrace.redis_streams.server import AWAY, Server
from headrace.settings import Settings
from headrace.store import redis as store
from headrace.store.database import Connection, Database

_BLOCK_MS = 500
_TIDY_SECONDS = 10.0
_WAITS = (0.2, 5.0)
"""Seconds until a Redis or PostgreSQL that is away is asked again: first, and at most."""
_TRIES = 10
"""How often a connection's job may end in the instant between two statements."""
_NOBODYS_FAULT = (psycopg.OperationalError, psycopg.InterfaceError, psycopg.InternalError)


class Door:
    """A thread that makes jobs of entries for as long as it is not stopped."""

    def __init__(
        self, database: Database, server: Server, settings: Settings, consumer: str
    ) -> None:
        self._database = database
        self._server = server
        self._keep = settings.headrace_redis_keep
        self._claim_seconds = settings.headrace_redis_claim_seconds
        self._consumer = consumer
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="headrace-door", daemon=True)

    def start(self) -> None:
        """Begin. After the engine is launched."""
        self._thread.start()

    def stop(self) -> None:
        """End, after the entries in hand."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(5)

    def _run(self) -> None:
        wait = _WAITS[0]
        while not self._stop.is_set():
            began = time.monotonic()
            try:
                with self._server.client() as client:
                    self._attend(Group(client, self._consumer))
            except AWAY as error:
                self._server.away("door", error)
            except _NOBODYS_FAULT:
                pass  # PostgreSQL is away, which is said elsewhere; the entries stay pending
            except Exception as error:  # noqa: BLE001 - it must outlive its bugs
                telemetry.bug("door", error)
            wait = _WAITS[0] if time.monotonic() - began > wait else min(wait * 2, _WAITS[1])
            self._stop.wait(wait)

    def _attend(self, group: Group) -> None:
        """Everything that is in the stream, and then what comes."""
        group.make()
        while not self._stop.is_set():
            try:
                self._read(group)
            except redis.ResponseError as error:
                if "NOGROUP" not in str(error) and "no such key" not in str(error):
                    raise
                if group.make():
                    telemetry.redis_emptied(self._server.address)
        group.leave()

    def _read(self, group: Group) -> None:
        self._through(group, group.own)
        claimed = tidied = 0.0
        while not self._stop.is_set():
            now = time.monotonic()
            if now - claimed > self._claim_seconds / 3:
                claimed = now
                self._through(group, lambda: group.claim(int(self._claim_seconds * 1000)))
            if now - tidied > _TIDY_SECONDS:
                tidied = now
                group.forget_the_gone()
                while group.trim(self._keep):
                    pass
            self._take(group, group.new(_BLOCK_MS))
            self._server.back("door")

    def _through(self, group: Group, read: Callable[[], Read]) -> None:
        while not self._stop.is_set() and self._take(group, read()):
            pass

    def _take(self, group: Group, read: Read) -> bool:
        """Make jobs of what was read, and acknowledge it. Whether there was anything."""
        if read.lost:
            telemetry.redis_lost(
                read.lost,
                "Another program trims the stream: see docs/how-to/redis.md on MAXLEN.",
            )
            group.done(read.lost, (), self._keep)
        if read.entries:
            refused = take(self._database, read.entries)
            mark("entries-taken")
            aside = {one.entry.id for one in refused}
            ids = [one.id for one in read.entries if one.id not in aside]
            group.done(ids, refused, self._keep)
            telemetry.redis_taken(len(ids), len(refused))
        return bool(read.entries or read.lost)


def take(database: Database, entries: Sequence[Entry]) -> list[Refused]:
    """Make jobs of these entries in one transaction; those that none can be made of. Where one is
    such that PostgreSQL refuses it, each has a transaction of its own, and the one is refused."""
    asked: list[Asked] = []
    refused: list[Refused] = []
    for entry in entries:
        try:
            asked.append(understood(entry))
        except HeadraceError as error:
            refused.append(Refused(entry, error))
    try:
        return refused + _make(database, asked)
    except _NOBODYS_FAULT:
        raise
    except Exception as error:  # noqa: BLE001 - which entry it is, is found out one by one
        if len(asked) == 1:
            if not isinstance(error, psycopg.DataError):
                telemetry.bug("entry", error)
            why = BadInput(f"No job can be made of it: {_said(error)}.", hint="Correct the entry.")
            return [*refused, Refused(asked[0].entry, why)]
    for one in asked:
        refused += take(database, [one.entry])
    return refused


def _make(database: Database, asked: Sequence[Asked]) -> list[Refused]:
    if not asked:
        return []
    with database.transaction() as connection:
        owned = [store.Owned(one.tenant, one.user, one.provider, one.connection) for one in asked]
        wishes: list[tuple[store.Taken, list[store.Wish]]] = []
        refused = []
        for one, rows in zip(asked, store.meant(connection, owned), strict=True):
            if not rows:
                refused.append(Refused(one.entry, _nobody(one)))
                continue
            taken = (one.tenant, rows[0]["user_id"], one.entry.id, one.entry.digest)
            wishes.append((taken, [_wish(one, row) for row in rows]))
        new = store.take(connection, [taken for taken, _ in wishes])
        _submit(connection, [(one, each) for one, each in wishes if one[2:] in new])
    return refused


def _submit(connection: Connection, wanted: Sequence[tuple[store.Taken, list[store.Wish]]]) -> None:
    """A job for each wish: a new one, or that which its connection has under way."""
    all_ = [wish for _, wishes in wanted for wish in wishes]
    jobs: dict[str, str] = {}
    for _ in range(_TRIES):
        left = [wish for wish in all_ if wish.connection not in jobs]
        if not left:
            break
        made = store.make(connection, left)
        dispatch(connection, *made)
        jobs |= store.active(connection, left)
        jobs |= {row["connection_id"]: row["job_id"] for row in made}
    else:
        raise psycopg.OperationalError("jobs keep ending")  # and so do we try again
    if all_:
        store.answered(
            connection,
            [(taken, [jobs[wish.connection] for wish in wishes]) for taken, wishes in wanted],
        )
        store.arrived(connection, all_)


def _wish(one: Asked, row: dict[str, str]) -> store.Wish:
    return store.Wish(
        one.tenant,
        row["user_id"],
        one.kind,
        row["connection_id"],
        one.payload,
        one.priority,
        f"{one.entry.key}:{row['connection_id']}",
    )


def _nobody(one: Asked) -> BadInput:
    if one.connection is not None:
        return BadInput(
            f"There is no connection {one.connection!r} of the provider {one.provider}"
            f"{f' and of user {one.user!r}' if one.user else ''}.",
            hint="`headrace connections list --json` tells their ids.",
        )
    return BadInput(
        f"User {one.user!r} of tenant {one.tenant!r} has no connection of the provider"
        f" {one.provider} that is not paused.",
        hint="`headrace connections list` shows what there is. A payload for another tenant names"
        " it: tenantId.",
    )


def _said(error: BaseException) -> str:
    return " ".join((str(error) or type(error).__name__).split())[:200]
