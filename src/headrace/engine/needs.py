"""Jobs that wait for jobs: what follows from the end of one, in the transaction that ended it.

A job waits until all that it needs has succeeded, or, where it is to run regardless, is over; and
until its connection has no other job under way. Then it is put on the queue. What waits for a job
that has failed or was cancelled is cancelled with it, and comes back with it.

Two ends may be the last that a job waits for. Both lock its row first and look then, so the second
of them sees what the first has committed. All of this is a few statements for any number of jobs.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import psycopg

from headrace.engine.notify import notify
from headrace.engine.turns import dispatch
from headrace.errors import BadInput
from headrace.store.database import Connection, as_owner
from headrace.store.jobs import JobRow
from headrace.store.sql import query

# How often another job may take a connection in the instant before a job that waits for it.
_TRIES = 10

_WORDS = {"FAILED": "has failed", "CANCELLED": "was cancelled"}


def ended(connection: Connection, rows: Sequence[JobRow]) -> None:
    """Whatever follows from the end of these jobs. Everything that ends a job ends with this: who
    waits for its message is sent it, and jobs that wait for it go on or are called off."""
    notify(connection, rows)
    move_on(connection, [row["job_id"] for row in rows])


def move_on(connection: Connection, over: Sequence[str], waiting: Sequence[str] = ()) -> None:
    """Have whatever waits for these jobs, which are over, go on if nothing else is in its way; and
    those that are `waiting`."""
    found = connection.execute(query("needs", "touched"), {"over": list(over)}).fetchall()
    touched = [*waiting, *(row["job_id"] for row in found)]
    if not touched:
        return
    connection.execute(query("needs", "hold"), {"job_ids": touched})
    off = connection.execute(query("needs", "call_off"), {"over": list(over)}).fetchall()
    notify(connection, off)
    release(connection, touched)


def release(connection: Connection, job_ids: Sequence[str]) -> None:
    """Put those of these jobs on the queue that wait for nothing any more. Their rows are locked,
    or new."""
    for _ in range(_TRIES):
        try:
            with connection.transaction():
                freed = connection.execute(
                    query("needs", "release"), {"job_ids": list(job_ids)}
                ).fetchall()
            break
        except psycopg.errors.UniqueViolation:
            continue  # another job has taken the connection meanwhile: its end frees this one
    else:
        return
    dispatch(connection, *freed)


def hold(
    connection: Connection, tenant: str, job_ids: Collection[str], *, regardless: Collection[str]
) -> dict[str, datetime]:
    """Hold the jobs that new ones are to wait for, as the caller sees them: those that are there,
    and when they were made. Raises BadInput for one that has failed or was cancelled already, but
    where all that wait for it do so `regardless`."""
    values = {"tenant": tenant, "job_ids": list(job_ids)}
    rows = connection.execute(query("needs", "hold_needs"), values).fetchall()
    for row in rows:
        if row["status"] in _WORDS and row["job_id"] not in regardless:
            raise BadInput(
                f"Job {row['job_id']}, which is to be waited for, {_WORDS[row['status']]}.",
                hint="Retry it first; or wait for its end, whatever comes of it: when = ended.",
            )
    return {row["job_id"]: row["created_at"] for row in rows}


def begin(
    connection: Connection,
    tenant: str,
    jobs: Sequence[tuple[str, str, str | None]],
    needs: Sequence[tuple[str, str, str, bool]],
) -> None:
    """Write down what new jobs wait for, and begin with those that wait for nothing: jobs by id,
    owner and connection, needs by owner, job, the job it needs, and whether regardless of how that
    ends."""
    connections = [one for _, _, one in jobs if one is not None]
    with as_owner(connection):
        connection.execute(
            query("needs", "add"),
            {
                "tenant": tenant,
                "owners": [owner for owner, *_ in needs],
                "jobs": [job for _, job, _, _ in needs],
                "needs": [need for _, _, need, _ in needs],
                "regardless": [regardless for *_, regardless in needs],
            },
        )
        held = {"tenant": tenant, "connections": connections}
        connection.execute(query("needs", "hold_connections"), held)
        release(connection, [job_id for job_id, _, _ in jobs])


def sweep(connection: Connection) -> list[str]:
    """Have those go on that wait although nothing is in their way; which there were."""
    found = connection.execute(query("needs", "forgotten")).fetchall()
    if found:
        lost = {row["lost"] for row in found if row["lost"] is not None}
        move_on(connection, sorted(lost), [row["job_id"] for row in found])
    return [row["job_id"] for row in found]


def needs_of(connection: Connection, job_id: str) -> list[dict[str, Any]]:
    """What a job was to wait for: `needs_job_id`, its `status`, and whether `regardless` of it."""
    return connection.execute(query("needs", "needs_of"), {"job_id": job_id}).fetchall()


def waiting_for(connection: Connection, job_id: str) -> list[str]:
    """The jobs that a job still waits for."""
    rows = connection.execute(query("needs", "waiting_for"), {"job_id": job_id}).fetchall()
    return [row["job_id"] for row in rows]
