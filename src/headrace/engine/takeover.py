"""Liveness and takeover: a killed worker's jobs go on in another process, with no control plane.

Each process holds a session advisory lock on its slot, on a connection of its own. `kill -9` closes
the socket, PostgreSQL frees the lock in milliseconds, and any peer that can take it knows: dead.
"""

from __future__ import annotations

import os
import socket
import threading
import uuid

import psycopg

from headrace import telemetry
from headrace.engine import private
from headrace.store.database import Database

_SPACE = 0x4852
"""The first half of the advisory lock's key; the slot is the second."""

_TICK_SECONDS = 0.5
_GRACE_SECONDS = 5
"""After PostgreSQL itself started, its clients need a moment to come back and take their locks."""

_ALIVE = """
SELECT executor_id, slot FROM headrace.workers WHERE dead_at IS NULL AND executor_id <> %s
"""
_SETTLED = "SELECT now() - pg_postmaster_start_time() > %s * interval '1 second' AS settled"


def new_executor_id() -> str:
    """An id that no other process start has: sharing one makes recovery run a job twice."""
    return f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"


class Liveness:
    """This process's sign of life, and its watch over the others. Runs in a thread of its own."""

    def __init__(self, database: Database, executor_id: str) -> None:
        self._database = database
        self._me = executor_id
        self._slot = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="headrace-liveness", daemon=True)
        self._line: psycopg.Connection | None = None

    def register(self) -> None:
        """Say that this process lives. Before the engine is launched, so that no job is ever begun
        by a process whose death nobody would notice."""
        with self._database.connection() as connection:
            row = connection.execute(
                "INSERT INTO headrace.workers (executor_id, slot)"
                " VALUES (%s, nextval('headrace.worker_slots')) RETURNING slot",
                [self._me],
            ).fetchone()
        assert row is not None, "INSERT ... RETURNING answers"
        self._slot = row["slot"]
        self._hold()

    def start(self) -> None:
        """Begin to watch. After the engine is launched."""
        self._thread.start()

    def stop(self) -> None:
        """Leave in good order: the row says so, and the lock is given back."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(5)
        if self._line is not None:
            try:
                self._line.execute(
                    "UPDATE headrace.workers SET dead_at = now() WHERE executor_id = %s", [self._me]
                )
            except psycopg.OperationalError:
                pass  # PostgreSQL is gone; peers will find the lock free
            self._line.close()

    def _hold(self) -> None:
        """Take this process's lock, on a fresh connection whose loss both sides notice soon."""
        self._line = psycopg.connect(
            self._database.url,
            autocommit=True,
            application_name=f"{self._me} liveness",
            keepalives_idle=2,
            keepalives_interval=1,
            keepalives_count=3,
        )
        self._line.execute("SELECT pg_advisory_lock(%s, %s)", [_SPACE, self._slot])

    def _run(self) -> None:
        while not self._stop.wait(_TICK_SECONDS):
            try:
                self._tick()
            except psycopg.OperationalError:
                self._come_back()
            except Exception as error:  # noqa: BLE001 - the watch must outlive its bugs
                telemetry.bug("liveness", error)

    def _come_back(self) -> None:
        try:
            self._hold()
        except psycopg.OperationalError:
            pass  # still away: the next tick tries again

    def _tick(self) -> None:
        assert self._line is not None
        mine = self._line.execute(
            "SELECT dead_at FROM headrace.workers WHERE executor_id = %s", [self._me]
        ).fetchone()
        if mine is None or mine[0] is not None:
            # Declared dead: peers run my jobs. Nothing of mine may go on, not even a clean end.
            telemetry.takeover(self._me, 0)
            os._exit(75)
        settled = self._line.execute(_SETTLED, [_GRACE_SECONDS]).fetchone()
        if settled is None or not settled[0]:
            return
        dead = [who for who, slot in self._line.execute(_ALIVE, [self._me]) if self._free(slot)]
        if dead:
            self._line.execute(
                "UPDATE headrace.workers SET dead_at = now() WHERE executor_id = ANY(%s)", [dead]
            )
        self._recover()

    def _free(self, slot: int) -> bool:
        assert self._line is not None
        got = self._line.execute("SELECT pg_try_advisory_lock(%s, %s)", [_SPACE, slot]).fetchone()
        if not (got and got[0]):
            return False
        self._line.execute("SELECT pg_advisory_unlock(%s, %s)", [_SPACE, slot])
        return True

    def _recover(self) -> None:
        """Take over what the dead had begun; asked anew each tick until nothing is left."""
        assert self._line is not None
        held = self._line.execute(
            "SELECT DISTINCT w.executor_id FROM dbos.workflow_status s"
            " JOIN headrace.workers w ON w.executor_id = s.executor_id"
            " WHERE s.status = 'PENDING' AND w.dead_at IS NOT NULL"
        ).fetchall()
        for (who,) in held:
            telemetry.takeover(who, private.recover([who]))
