"""Telling webhooks: every worker takes what is due, sends it, and writes down what came of it.

A message is claimed before it is sent, for a minute: who dies with it in hand has another worker
send it again, under the same id. One endpoint's messages are sent beside those of all others, and
of one subject one after the other.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from itertools import groupby
from operator import itemgetter
from typing import TypeVar
from urllib.parse import urlsplit

import psycopg

from headrace import telemetry
from headrace.crashpoints import mark
from headrace.engine.dispatch import Chore
from headrace.engine.regularly import Duty, Regularly
from headrace.errors import NeedsHuman
from headrace.settings import Settings
from headrace.store import changes, deliveries
from headrace.store.database import Database
from headrace.store.deliveries import DeliveryRow
from headrace.vault import Vault
from headrace.webhooks import secrets
from headrace.webhooks.sending import Message, Outcome, send

T = TypeVar("T")

LOOK_SECONDS = 1.0
"""Between two looks at what else is due, while something is on its way."""
TIDY_SECONDS = 60.0
ABREAST = 8
"""Messages that one endpoint is sent at a time."""
MOST = 256
"""The same, of all endpoints."""
_LOOKED_UP = 64
"""Names looked up at a time: a name server that is silent holds up nobody else."""
_HANDS = 2


def chores(database: Database, settings: Settings, vault: Vault) -> tuple[list[Duty], list[Chore]]:
    """What a worker does for webhooks, and when."""
    feed = Regularly("feed", None, partial(changes.number, database))
    sender = Sender(database, settings, vault)
    tidier = Regularly("deliveries", TIDY_SECONDS, partial(tidy, database, settings))
    return [feed, sender, tidier], [Chore(changes.DUE, feed), Chore(deliveries.DUE, sender)]


def tidy(database: Database, settings: Settings) -> None:
    """Give up what has been tried for too long, and forget what is over for long."""
    with database.connection() as connection:
        given_up = deliveries.give_up(connection, settings.headrace_webhook_hours)
        if settings.headrace_keep_delivery_days:
            deliveries.forget(connection, settings.headrace_keep_delivery_days)
    if given_up:
        telemetry.webhooks_given_up(given_up)


class Sender:
    """Sends what is due when it is rung for, in a thread with an event loop of its own."""

    def __init__(self, database: Database, settings: Settings, vault: Vault) -> None:
        self._database = database
        self._settings = settings
        self._vault = vault
        self._stopped = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._bell = asyncio.Event()
        self._busy: dict[asyncio.Task[None], str] = {}
        self._hands = ThreadPoolExecutor(_HANDS, "headrace-sender-store")
        self._thread = threading.Thread(target=self._live, name="headrace-sender", daemon=True)

    def start(self) -> None:
        """Begin. After the engine is launched."""
        self._thread.start()

    def ring(self) -> None:
        """Something is due."""
        with suppress(RuntimeError):  # it has ended
            self._loop.call_soon_threadsafe(self._bell.set)

    def stop(self) -> None:
        """End, after what is on its way; what takes long is sent again by another worker."""
        self._stopped.set()
        self.ring()
        if self._thread.is_alive():
            self._thread.join(5)

    def _live(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._run())

    async def _run(self) -> None:
        self._loop.set_default_executor(ThreadPoolExecutor(_LOOKED_UP))
        while not self._stopped.is_set():
            claimed = await self._outliving(self._claim)
            rows = sorted(claimed or [], key=itemgetter("webhook_id"))
            for webhook_id, some in groupby(rows, key=itemgetter("webhook_id")):
                self._busy[asyncio.create_task(self._tell(list(some)))] = webhook_id
            over: set[asyncio.Task[None]] = set()
            if self._busy:
                over, _ = await asyncio.wait(
                    self._busy, timeout=LOOK_SECONDS, return_when=asyncio.FIRST_COMPLETED
                )
                for one in over:
                    del self._busy[one]
            if not over and not self._busy:
                await self._bell.wait()
                self._bell.clear()
        if self._busy:
            await asyncio.wait(self._busy, timeout=4)
        self._hands.shutdown(wait=False, cancel_futures=True)

    def _claim(self) -> list[DeliveryRow]:
        room = MOST - ABREAST * len(self._busy)
        if room <= 0:
            return []
        with self._database.transaction() as connection:
            return deliveries.claim(
                connection, most=room, abreast=ABREAST, busy=list(self._busy.values())
            )

    async def _tell(self, rows: list[DeliveryRow]) -> None:
        """Messages of one endpoint, of different subjects."""
        await asyncio.gather(*(self._tell_one(row) for row in rows))

    async def _tell_one(self, row: DeliveryRow) -> None:
        came = await attempt(self._settings, self._vault, row)
        mark("webhook-sent")
        noting = partial(note, self._database, self._settings, row, came)
        await self._outliving(noting)

    async def _outliving(self, work: Callable[[], T]) -> T | None:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._hands, work)
        except psycopg.OperationalError:
            return None  # it is asked again; what could not be noted is sent again
        except Exception as error:  # noqa: BLE001 - it must outlive its bugs
            telemetry.bug("sender", error)
            return None


async def attempt(settings: Settings, vault: Vault, row: DeliveryRow) -> Outcome:
    """Send a message that was claimed."""
    message = Message(row["message_id"], row["event"], row["created_at"], row["data"])
    try:
        known = secrets.unseal(vault, row["tenant_id"], row["webhook_id"], row["secrets"])
    except NeedsHuman as error:
        return Outcome(None, str(error), 0)
    good = secrets.good(known, row["tried_at"])
    came = await send(settings, row["url"], message, good, trusted=row["trusted"])
    host = urlsplit(row["url"]).hostname or ""
    telemetry.told(row["webhook_id"], host, row["event"], came.status, came.ms)
    return came


def note(database: Database, settings: Settings, row: DeliveryRow, came: Outcome) -> None:
    """Write down what came of it."""
    with database.transaction() as connection:
        deliveries.note(connection, row, came, settings.headrace_webhook_hours)


def send_now(database: Database, settings: Settings, vault: Vault, delivery_id: int) -> None:
    """Send this one from here, where nobody else has it in hand."""
    with database.transaction() as connection:
        row = deliveries.claim_one(connection, delivery_id)
    if row is not None:
        note(database, settings, row, asyncio.run(attempt(settings, vault, row)))
