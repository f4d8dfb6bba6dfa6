"""Every name of DBOS that it does not promise to keep: one file, held by a contract test."""

from __future__ import annotations

import copy
import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, wait

from dbos import DBOS, Queue
from dbos._core import (
    ActiveWorkflowById,
    ActiveWorkflowEntry,
    QueueBucket,
    execute_dequeued_workflow,
)
from dbos._dbos import _get_dbos_instance
from dbos._logger import dbos_logger
from dbos._sys_db import SystemDatabase, WorkflowStatusInternal
from dbos._utils import GlobalParams, generate_uuid
from sqlalchemy import QueuePool
from sqlalchemy.exc import SQLAlchemyError

from headrace import telemetry
from headrace.engine.queues import INTERNAL

_THREAD_SECONDS = 0.05
"""A free thread takes microseconds."""


class _Hands(ActiveWorkflowById):
    """What this process has in hand: what runs, which DBOS counts itself, and what was taken from
    a queue a moment ago, and waits for its thread or its turn in the loop."""

    def __init__(self, left: Callable[[], None]) -> None:
        super().__init__()
        self._left = left
        self._taken: dict[str, str] = {}
        self._taking = threading.Lock()
        self.own: SystemDatabase | None = None
        self.free: Future[None] | None = None

    def take(self, queue: str, workflow_ids: list[str]) -> None:
        with self._taking:
            self._taken |= dict.fromkeys(workflow_ids, queue)

    def drop(self, workflow_id: str) -> None:
        with self._taking:
            self._taken.pop(workflow_id, None)

    def ids(self) -> set[str]:
        with self._taking:
            taken = set(self._taken)
        return taken | set(self.activeList())

    def of(self, queue: str) -> int:
        with self._taking:
            taken = sum(one == queue for one in self._taken.values())
        return taken + self.count_for_queue(queue)

    def add(
        self, key: str, queue_name: str | None = None, queue_partition_key: str | None = None
    ) -> ActiveWorkflowEntry:
        entry = super().add(key, queue_name, queue_partition_key)
        self.drop(key)
        return entry

    def _remove(self, key: str, bucket: QueueBucket) -> None:
        super()._remove(key, bucket)
        self._left()


def count(left: Callable[[], None]) -> None:
    """Count what this process has in hand, and say when some of it has left. Before the launch."""
    _get_dbos_instance()._active_workflows_set = _Hands(left)


def _hands() -> _Hands:
    hands = _get_dbos_instance()._active_workflows_set
    assert isinstance(hands, _Hands), "`count` comes before the launch"
    return hands


def launch() -> None:
    """Launch the engine. What goes wrong is raised, and not logged with its stack as well."""
    level = dbos_logger.level
    say_no_more()
    try:
        DBOS.launch()
    finally:
        dbos_logger.setLevel(level)


def poll_nothing() -> None:
    """End DBOS's own threads that ask PostgreSQL every second: for its queues, for what is delayed
    or timed out, for its schedules. `engine.dispatch` does all but the last, which nobody uses."""
    dbos = _get_dbos_instance()
    for event in (*dbos.background_thread_stop_events, dbos._background_jobs_stop_event):
        event.set()


def _own() -> SystemDatabase:
    """The engine's database as the one who takes from the queues asks it: over a connection of its
    own, so that what is taken can be read although all others are in use. And PostgreSQL's being
    away is told at once: by itself the engine waits, for up to a minute after it is back."""
    hands = _hands()
    if hands.own is None:
        shared = _get_dbos_instance()._sys_db
        hands.own = copy.copy(shared)
        hands.own._retry_connection_errors = False
        url = shared.engine.url.render_as_string(hide_password=False)
        engine = shared._create_engine(url, {**shared._engine_kwargs, "pool_size": 1})
        hands.own.engine = engine.execution_options(**shared.engine.get_execution_options())
    return hands.own


def hang_up() -> None:
    """Close the connection that the queues were asked over; the next question opens another one.
    The engine knows nothing of it."""
    hands = _hands()
    if hands.own is not None:
        hands.own.engine.dispose()


def can_begin() -> bool:
    """Whether what is taken now can begin: the engine has a connection left, and a thread."""
    dbos = _get_dbos_instance()
    pool = dbos._sys_db.engine.pool
    assert isinstance(pool, QueuePool), "the engine's own choice for PostgreSQL"
    if pool.checkedout() >= pool.size():
        return False
    hands = _hands()
    # Nobody knows of a free thread but by giving it something to do.
    hands.free = hands.free or dbos._executor.submit(lambda: None)
    if not wait([hands.free], _THREAD_SECONDS).done:
        return False
    hands.free = None
    return True


def enqueue_delayed() -> None:
    """Put what was delayed and has come due on its queue."""
    _own().transition_delayed_workflows()


def cancel_timed_out() -> None:
    """Cancel workflows that are past the deadline they were started with."""
    _own().cancel_timed_out_workflows(1000)


def internal_queue() -> Queue:
    """The queue of what is taken over and was on none."""
    return _get_dbos_instance()._registry.get_internal_queue()


def take(queue: Queue, room: int) -> int:
    """Take up to this many workflows from a queue and begin to run them; how many there were.

    Raises what SQLAlchemy does when PostgreSQL is away. What was taken by a commit whose answer was
    lost, or could not be read after it, `engine.recovery` puts back.
    """
    dbos = _get_dbos_instance()
    owner = generate_uuid()
    # DBOS subtracts what runs from what it has been told of the queue, which may be another
    # process's number.
    limit = queue._worker_concurrency
    busy = 0 if limit is None else limit - room
    where = (GlobalParams.executor_id, GlobalParams.app_version, None)
    ids, _ = _own().start_queued_workflows(queue, *where, busy, owner_xid=owner)
    if not ids:
        return 0
    hands = _hands()
    hands.take(queue.name, ids)
    waits = set(ids)
    try:
        for status in _read(ids):
            workflow_id = status["workflow_uuid"]
            try:
                execute_dequeued_workflow(dbos, status, owner)
            except Exception as error:  # noqa: BLE001 - the next one may be better
                telemetry.bug(f"starting workflow {workflow_id}", error)
            else:
                if status["status"] == "PENDING":
                    waits.discard(workflow_id)
    finally:
        # These will not run: they were cancelled a moment ago, or could not be begun.
        for workflow_id in waits:
            hands.drop(workflow_id)
    return len(ids)


def _read(workflow_ids: list[str]) -> list[WorkflowStatusInternal]:
    try:
        return _own().get_workflow_statuses(workflow_ids)
    except SQLAlchemyError:  # lost with the connection: there may be another one at once
        return _own().get_workflow_statuses(workflow_ids)


def busy(queue: str) -> int:
    """How many workflows of a queue this process has in hand."""
    return _hands().of(queue)


def recover(executor_ids: list[str]) -> int:
    """Re-enqueue what dead executors had begun. Returns how many workflows were found.

    Raises nothing for a single workflow that cannot be recovered: call it until it finds none.
    """
    return len(DBOS._recover_pending_workflows(executor_ids))


def requeue(workflow_id: str, executor_id: str) -> bool:
    """Put one workflow that this executor had begun on its queue again. Returns whether it was
    still in its hands."""
    return _get_dbos_instance()._sys_db.reenqueue_for_recovery(workflow_id, [executor_id], INTERNAL)


def say_no_more() -> None:
    """DBOS logs as errors what somebody else says, or takes up where it was cut off."""
    dbos_logger.setLevel(logging.CRITICAL + 1)


def running() -> set[str]:
    """The ids of the workflows that this process has in hand now."""
    return _hands().ids()
