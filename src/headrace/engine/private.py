"""Every name of DBOS that it does not promise to keep: one file, held by a contract test."""

from __future__ import annotations

import logging

from dbos import DBOS
from dbos._dbos import _get_dbos_instance
from dbos._logger import dbos_logger
from dbos._utils import INTERNAL_QUEUE_NAME


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


def take_no_more() -> None:
    """Leave the queues to others. What is being run goes on."""
    for event in _get_dbos_instance().background_thread_stop_events:
        event.set()


def say_no_more() -> None:
    """DBOS logs what is cut off by the end of the process as errors; others take it up."""
    dbos_logger.setLevel(logging.CRITICAL + 1)


def running() -> set[str]:
    """The ids of the workflows that this process is running now."""
    return set(_get_dbos_instance()._active_workflows_set.activeList())
