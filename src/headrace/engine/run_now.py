"""Running a job now: one that is put off goes on, and of one that is over another one is made."""

from __future__ import annotations

from headrace.engine.intake import submit_sync
from headrace.engine.jobs import hasten
from headrace.errors import BadInput
from headrace.plugins import sync_kinds
from headrace.store import connections, jobs
from headrace.store.database import Connection
from headrace.store.jobs import JobRow


def run_now(connection: Connection, job_id: str) -> JobRow:
    """The job that runs now: this one, or a new sync of its connection. Raises BadInput where
    there is nothing to hasten, and nothing that could be done once more."""
    row = jobs.get(connection, job_id)
    if row is None:
        raise BadInput(f"There is no job {job_id}.", hint="It may not be yours.")
    if row["status"] == "PENDING" and hasten(connection, job_id):
        return jobs.get(connection, job_id) or row
    if row["completed_at"] is None:
        raise BadInput(
            f"Job {job_id} cannot be hastened.",
            hint="It runs, waits for its turn or for other jobs, or its source asked for the wait.",
        )
    source = row["connection_id"] and connections.get(connection, row["connection_id"])
    if not source or row["kind"] not in sync_kinds():
        raise BadInput(
            f"A job of kind {row['kind']} is not made anew from here.",
            hint="One that failed or was cancelled can be retried.",
        )
    return submit_sync(connection, source)
