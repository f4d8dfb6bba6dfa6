"""Every name of DBOS that it does not promise to keep: one file, held by a contract test."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from dbos import DBOS, Queue
from dbos._core import (
    ActiveWorkflowById,
    ActiveWorkflowEntry,
    QueueBucket,
    execute_dequeued_workflow,
)
from dbos._dbos import _get_dbos_instance
from dbos._logger import dbos_logger
from dbos._utils import INTERNAL_QUEUE_NAME, GlobalParams, generate_uuid

from headrace import telemetry


class _Hands(ActiveWorkflowById):
    """What this process has in hand: what runs, which DBOS counts itself, and what was taken from
    a queue a moment ago, and waits for its thread or its turn in the loop."""

    def __init__(self, left: Callable[[], None]) -> None:
        super().__init__()
        self._left = left
        self._taken: dict[str, str] = {}
        self._taking = threading.Lock()

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


def poll_nothing() -> None:
    """End DBOS's own threads that ask PostgreSQL every second: for its queues, for what is delayed
    or timed out, for its schedules. `engine.dispatch` does all but the last, which nobody uses."""
    dbos = _get_dbos_instance()
    for event in (*dbos.background_thread_stop_events, dbos._background_jobs_stop_event):
        event.set()


def enqueue_delayed() -> None:
    """Put what was delayed and has come due on its queue."""
    _get_dbos_instance()._sys_db.transition_delayed_workflows()


def cancel_timed_out() -> None:
    """Cancel workflows that are past the deadline they were started with."""
    _get_dbos_instance()._sys_db.cancel_timed_out_workflows(1000)


def internal_queue() -> Queue:
    """The queue of what is taken over and was on none."""
    return _get_dbos_instance()._registry.get_internal_queue()


def take(queue: Queue, room: int) -> int:
    """Take up to this many workflows from a queue and begin to run them; how many there were.

    Raises what SQLAlchemy does when PostgreSQL is away. What was taken by a commit whose answer was
    lost, `engine.recovery` puts back.
    """
    dbos = _get_dbos_instance()
    owner = generate_uuid()
    # DBOS subtracts what runs from what it has been told of the queue, which may be another
    # process's number.
    limit = queue._worker_concurrency
    busy = 0 if limit is None else limit - room
    where = (GlobalParams.executor_id, GlobalParams.app_version, None)
    ids, _ = dbos._sys_db.start_queued_workflows(queue, *where, busy, owner_xid=owner)
    if not ids:
        return 0
    hands = _hands()
    hands.take(queue.name, ids)
    waits = set(ids)
    try:
        for status in dbos._sys_db.get_workflow_statuses(ids):
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
    return _get_dbos_instance()._sys_db.reenqueue_for_recovery(
        workflow_id, [executor_id], INTERNAL_QUEUE_NAME
    )


def say_no_more() -> None:
    """DBOS logs what is cut off by the end of the process as errors; others take it up."""
    dbos_logger.setLevel(logging.CRITICAL + 1)


def running() -> set[str]:
    """The ids of the workflows that this process has in hand now."""
    return _hands().ids()
