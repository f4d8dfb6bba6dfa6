"""Putting jobs on their queues: a workflow for the newest turn of each."""

from __future__ import annotations

from itertools import groupby

from headrace.engine.lanes import owner
from headrace.engine.queues import Work, enqueue_many, queue_of, workflow_id
from headrace.store.database import Connection
from headrace.store.jobs import JobRow


def dispatch(connection: Connection, *rows: JobRow) -> None:
    """Enqueue the workflows of the newest turns of these jobs: a statement for each queue."""
    for queue, of_queue in groupby(sorted(rows, key=_queue), key=_queue):
        enqueue_many(connection, "headrace.job", [_work(row) for row in of_queue], queue=queue)


def _queue(row: JobRow) -> str:
    return queue_of(row["kind"])


def _work(row: JobRow) -> Work:
    return Work(
        workflow_id(row["job_id"], row["turn"]),
        (row["job_id"], row["turn"]),
        owner(row["tenant_id"], row["user_id"]),
        row["priority"],
        row["lane"],
        row["resume_at"],
    )
