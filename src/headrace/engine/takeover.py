"""Liveness: who works here, and who has died. What the dead had begun is `engine.recovery`'s.

Each process holds a session advisory lock on its slot, on a connection of its own. `kill -9` closes
the socket, PostgreSQL frees the lock in milliseconds, and any peer sees that nobody holds it. A
process that hangs, or a host that vanished, still holds it: what betrays them is that this
connection, which says something twice a second, has fallen silent.

A wrong verdict costs a process and loses nothing: whoever was declared dead is fenced out of every
commit, and ends itself as soon as it can read the verdict.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable

import psycopg

from headrace import telemetry
from headrace.crashpoints import mark
from headrace.engine.line import names, open_line
from headrace.engine.place import gone
from headrace.engine.queues import VERSION, wake
from headrace.store.database import Database

SPACE = 0x4852
"""The first half of the advisory lock's key; the slot is the second."""

TICK_SECONDS = 0.5
HASTE_SECONDS = 0.1
"""Between looks while somebody's lock is seen free."""
UNHELD_SECONDS = 1.0
"""A lock that is free for this long was not just lost with a connection."""
SETTLE_SECONDS = 5.0
"""After PostgreSQL started, or this process was cut off from it or stood still, the others need a
moment to come back before anything they do not do means something."""
SILENT_SECONDS = 10.0
"""A process that says nothing for this long hangs, and its work is taken over."""

_WATCH = """
SELECT w.executor_id, h.pid IS NOT NULL AS held,
       extract(epoch FROM clock_timestamp() - a.state_change)::float AS silent,
       extract(epoch FROM clock_timestamp() - pg_postmaster_start_time())::float AS server_age
FROM headrace.workers w
LEFT JOIN pg_locks h ON h.locktype = 'advisory' AND h.classid = %(space)s AND h.objid = w.slot
  AND h.granted AND h.database = (SELECT oid FROM pg_database WHERE datname = current_database())
LEFT JOIN pg_stat_activity a ON a.pid = h.pid
WHERE w.dead_at IS NULL
"""

_DECLARE = """
UPDATE headrace.workers SET dead_at = now() WHERE executor_id = ANY(%s) AND dead_at IS NULL
"""

# A frozen process may hold row locks, and its half-open connections would hold them for long.
_CUT_OFF = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE application_name = ANY(%s) AND pid <> pg_backend_pid()
"""


class Liveness:
    """This process's sign of life, and its watch over the others. Runs in a thread of its own."""

    def __init__(
        self, database: Database, executor_id: str, bequeath: Callable[[], None] = lambda: None
    ) -> None:
        """`bequeath` is called when somebody has died, whose work is to be taken over."""
        self._database = database
        self._me = executor_id
        self._bequeath = bequeath
        self._slot = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="headrace-liveness", daemon=True)
        self._line: psycopg.Connection | None = None
        # Since when each one's lock has been seen free, and the watch has gone on undisturbed.
        self._unheld: dict[str, float] = {}
        self._since = time.monotonic()
        self._disturbed = False
        self._looked = time.time()

    def register(self) -> None:
        """Say that this process lives. Before the engine is launched, so that no job is ever begun
        by a process whose death nobody would notice."""
        with self._database.connection() as connection:
            row = connection.execute(
                "INSERT INTO headrace.workers (executor_id, slot, version)"
                " VALUES (%s, nextval('headrace.worker_slots'), %s) RETURNING slot",
                [self._me, VERSION],
            ).fetchone()
        assert row is not None, "INSERT ... RETURNING answers"
        self._slot = row["slot"]
        self._hold()
        # Somebody may be waiting for what a process killed here a moment ago had begun.
        self._tick()

    def start(self) -> None:
        """Begin to watch. After the engine is launched."""
        self._thread.start()

    def stop(self) -> None:
        """Leave in good order: the row says so, and the lock is given back."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(5)
        try:
            if self._line is None:  # told to leave while it registered
                self._line = open_line(self._database, self._me, "liveness")
            self._line.execute(_DECLARE, [[self._me]])
            wake(self._line)
        except psycopg.OperationalError:
            pass  # PostgreSQL is gone; peers will find the lock free
        if self._line is not None:
            self._line.close()

    def _hold(self) -> None:
        """Take this process's lock, on a fresh connection whose loss is noticed soon."""
        self._line = open_line(self._database, self._me, "liveness")
        # The server may not have noticed yet that an earlier one was lost, and it has the lock.
        self._line.execute(_CUT_OFF, [[f"{self._me} liveness"]])
        self._line.execute("SELECT pg_advisory_lock(%s, %s)", [SPACE, self._slot])

    def _run(self) -> None:
        while not self._stop.wait(HASTE_SECONDS if self._unheld else TICK_SECONDS):
            try:
                self._tick()
            except psycopg.OperationalError:
                self._come_back()
            except Exception as error:  # noqa: BLE001 - the watch must outlive its bugs
                telemetry.bug("liveness", error)

    def _come_back(self) -> None:
        if self._line is not None:
            self._line.close()
        try:
            self._hold()
        except psycopg.OperationalError:
            pass  # still away: the next tick tries again
        self._disturb()

    def _disturb(self) -> None:
        self._unheld.clear()
        self._since, self._disturbed = time.monotonic(), True

    def _tick(self) -> None:
        assert self._line is not None
        seen = self._line.execute(_WATCH, {"space": SPACE}).fetchall()
        if all(who != self._me for who, *_ in seen):
            # Declared dead: peers run my jobs. Nothing of mine may go on, not even a clean end.
            telemetry.declared_dead(self._me)
            os._exit(75)
        self._mind_the_gap()
        dead = [who for who, *sign in seen if who != self._me and self._is_dead(who, *sign)]
        if dead:
            self._declare(dead)

    def _mind_the_gap(self) -> None:
        """A process that stood still itself cannot blame others for silence. The clock is the
        wall's: the other one stands still with a laptop that sleeps."""
        now = time.time()
        if abs(now - self._looked) > SETTLE_SECONDS / 2:
            self._disturb()
        self._looked = now

    def _is_dead(self, who: str, held: bool, silent: float | None, server_age: float) -> bool:
        if gone(who):
            return True
        now = time.monotonic()
        settled = now - self._since > SETTLE_SECONDS
        if held:
            self._unheld.pop(who, None)
            return settled and silent is not None and silent > SILENT_SECONDS
        since = self._unheld.setdefault(who, now)
        undisturbed = settled or (not self._disturbed and server_age > SETTLE_SECONDS)
        return undisturbed and now - since > UNHELD_SECONDS

    def _declare(self, dead: list[str]) -> None:
        assert self._line is not None
        self._line.execute(_DECLARE, [dead])
        self._line.execute(_CUT_OFF, [[name for who in dead for name in names(who)]])
        mark("before-recover")
        for who in dead:
            self._unheld.pop(who, None)
            telemetry.died(who)
        self._bequeath()
