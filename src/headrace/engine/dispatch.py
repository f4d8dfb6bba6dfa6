"""Work starts at once, and a worker that has nothing to do asks next to nothing.

DBOS polls each queue, and again what is delayed, and again its schedules. Here one connection
listens: whoever enqueues says so in its own transaction, and the queue of that name is emptied as
far as there is room. Once a second one question is asked for all that may be to do: for what was
not heard, what has come due, and what the chores are there for.
"""

from __future__ import annotations

import select
import threading
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import psycopg
from dbos import Queue
from psycopg.rows import dict_row
from sqlalchemy.exc import SQLAlchemyError

from headrace import telemetry
from headrace.engine import private
from headrace.engine.bell import Bell
from headrace.engine.line import open_line
from headrace.engine.queues import APPLICATION, CHANNEL
from headrace.engine.regularly import Rung
from headrace.store.database import Database

LOOK_SECONDS = 1.0
"""What nobody has said is found after this long."""
_AGAIN_SECONDS = 0.1
"""A PostgreSQL that is away is asked again; and what comes due is gathered for half of this."""

# In the order of the index of what waits, so that no plan reads all that has ever run.
_LOOK = """
SELECT ARRAY(
    SELECT ours.queue FROM unnest(%(queues)s::text[]) AS ours (queue) WHERE (
      SELECT true FROM dbos.workflow_status w WHERE w.queue_name = ours.queue
        AND w.status = 'ENQUEUED' ORDER BY w.priority, w.created_at LIMIT 1)
  ) AS ready,
  (SELECT min(delay_until_epoch_ms) FROM dbos.workflow_status WHERE status = 'DELAYED'
    AND (application_name = %(application)s OR application_name IS NULL)) AS delayed,
  (SELECT min(workflow_deadline_epoch_ms) FROM dbos.workflow_status
    WHERE status IN ('ENQUEUED', 'PENDING', 'DELAYED') AND workflow_deadline_epoch_ms IS NOT NULL
    AND (application_name = %(application)s OR application_name IS NULL)) AS deadline
"""


class Chore(NamedTuple):
    """Something to do only where a question in SQL says so: it may use %(me)s, this process's id,
    and %(running)s, the ids of the workflows in it."""

    question: str
    work: Rung


class Dispatcher:
    """Takes work from the queues for this process, in a thread of its own."""

    def __init__(
        self,
        database: Database,
        executor_id: str,
        chores: Sequence[Chore] = (),
    ) -> None:
        self._database = database
        self._me = executor_id
        self._queues: dict[str, tuple[Queue, int]] = {}
        self._chores = chores
        asked = (f"({one.question}) AS chore_{number}" for number, one in enumerate(chores))
        self._question = ", ".join((_LOOK, *asked)).encode()
        self._line: psycopg.Connection | None = None
        self._bell = Bell()
        self._stopped = threading.Event()
        self._waiting: set[str] = set()
        """Queues on which more may wait than there was room for."""
        self._next_look = 0.0
        self._thread = threading.Thread(target=self._run, name="headrace-dispatch", daemon=True)

    def start(self, queues: Sequence[tuple[Queue, int]]) -> None:
        """Begin to take from these queues, and to run at most so many of each at the same time.
        After the engine is launched."""
        self._queues = {queue.name: (queue, places) for queue, places in queues}
        self._thread.start()

    def stop(self) -> None:
        """Leave the queues to others. What is being run goes on."""
        self._stopped.set()
        self._bell.ring()
        if self._thread.is_alive():
            self._thread.join(5)
        self._hang_up()
        private.hang_up()

    def left(self) -> None:
        """A workflow of this process has ended: there is room for another one. From any thread."""
        if self._waiting:
            self._bell.ring()

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self._hear(self._line or self._listen())
                self._take()
            except (psycopg.OperationalError, SQLAlchemyError):
                self._hang_up()
                self._stopped.wait(_AGAIN_SECONDS)
            except Exception as error:  # noqa: BLE001 - it must outlive its bugs
                telemetry.bug("dispatch", error)
                self._hang_up()
                self._stopped.wait(LOOK_SECONDS)

    def _listen(self) -> psycopg.Connection:
        self._line = open_line(self._database, self._me, "dispatch")
        self._line.execute(f"LISTEN {CHANNEL}".encode())
        self._next_look = 0.0  # for what was said while nobody listened
        return self._line

    def _hang_up(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None

    def _hear(self, line: psycopg.Connection) -> None:
        """Wait until somebody says something, a workflow here has left, or it is time to look."""
        said = [one.payload for one in line.notifies(timeout=0)]
        if not said:
            wait = max(0.0, self._next_look - time.monotonic())
            heard, _, _ = select.select([line.fileno(), self._bell.fileno()], [], [], wait)
            if line.fileno() in heard:
                said = [one.payload for one in line.notifies(timeout=0)]
        self._bell.hush()
        for queue in said:
            if queue in self._queues:
                self._waiting.add(queue)
            else:
                self._next_look = 0.0
        if time.monotonic() >= self._next_look:
            self._look(line)

    def _look(self, line: psycopg.Connection) -> None:
        seen = self._ask(line)
        if _is_due(seen["deadline"]):
            private.cancel_timed_out()
        if _is_due(seen["delayed"]):
            private.enqueue_delayed()
            seen = self._ask(line)
        self._waiting = set(seen["ready"])
        for number, chore in enumerate(self._chores):
            if seen[f"chore_{number}"]:
                chore.work.ring()
        wait = LOOK_SECONDS
        if seen["delayed"] is not None:
            wait = min(wait, max(seen["delayed"] / 1000 - time.time(), _AGAIN_SECONDS / 2))
        self._next_look = time.monotonic() + wait

    def _ask(self, line: psycopg.Connection) -> dict[str, Any]:
        values = {
            "queues": list(self._queues),
            "application": APPLICATION,
            "me": self._me,
            "running": list(private.running()),
        }
        row = line.cursor(row_factory=dict_row).execute(self._question, values).fetchone()
        assert row is not None, "a SELECT without FROM answers"
        return row

    def _take(self) -> None:
        """Fill what room there is."""
        for name, (queue, places) in self._queues.items():
            if name not in self._waiting or self._stopped.is_set():
                continue
            room = places - private.busy(name)
            if room > 0 and not self._can_begin():
                # It stays on its queue, where others find it.
                self._next_look = time.monotonic() + _AGAIN_SECONDS
                return
            if room > 0 and private.take(queue, room) < room:
                self._waiting.discard(name)

    def _can_begin(self) -> bool:
        return not self._database.exhausted and private.can_begin()


def _is_due(epoch_ms: int | None) -> bool:
    # By this process's clock, as DBOS has it.
    return epoch_ms is not None and epoch_ms <= time.time() * 1000
