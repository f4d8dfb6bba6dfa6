"""Taking jobs up again, with those that were cancelled because of them; and cancelling what hangs
on a job."""

from __future__ import annotations

from collections.abc import Sequence

from headrace.engine.needs import ended, release
from headrace.errors import BadInput
from headrace.store import jobs
from headrace.store.database import Connection, as_owner
from headrace.store.jobs import JobRow
from headrace.store.sql import query

_WORDS = {"FAILED": "failed", "CANCELLED": "was cancelled"}


def cancel(connection: Connection, job_id: str) -> JobRow:
    """Cancel an unfinished job: not another row of it is committed, and what waits for it is
    cancelled with it. Raises BadInput when it is over."""
    if not _cancel(connection, [job_id]):
        raise BadInput(
            f"Job {job_id} cannot be cancelled.", hint="It is over already, or not yours."
        )
    return _now(connection, job_id)


def cancel_tree(connection: Connection, job_id: str) -> list[str]:
    """Cancel a job and all that hangs on it, whatever it was to wait for; the ids of those that
    were not over. Raises BadInput when all of them are."""
    found = _cancel(connection, [one for one, _ in below(connection, job_id)])
    if not found:
        raise BadInput(
            f"Job {job_id} and all that hangs on it cannot be cancelled.",
            hint="All of it is over already, or not yours.",
        )
    return found


def _cancel(connection: Connection, job_ids: Sequence[str]) -> list[str]:
    values = {"job_ids": list(job_ids)}
    with connection.transaction():
        if len(job_ids) > 1:
            connection.execute(query("needs", "hold"), values)
        rows = connection.execute(query("jobs", "cancel"), values).fetchall()
        with as_owner(connection):
            ended(connection, rows)
    return [row["job_id"] for row in rows]


def retry(connection: Connection, job_id: str) -> JobRow:
    """Take a failed or cancelled job up again where it stopped, and what was cancelled because of
    it. Raises BadInput where that is not possible."""
    with connection.transaction():
        known = jobs.get(connection, job_id) is not None
        with as_owner(connection):
            if known and _connection_is_busy(connection, job_id):
                raise BadInput(
                    f"Job {job_id} cannot be retried: its connection has another job under way.",
                    hint="That one goes on where this one stopped.",
                )
            taken = _again(connection, [job_id] if known else [])
        if job_id not in taken:
            raise BadInput(
                f"Job {job_id} cannot be retried.",
                hint="Only a failed or cancelled job can; it may also not be yours.",
            )
        if (cause := taken[job_id]) is not None:
            raise BadInput(
                f"Job {job_id} cannot be retried: it waits for job {cause}.",
                hint="Retry that one, and this one goes on with it.",
            )
        return _now(connection, job_id)


def retry_tree(connection: Connection, job_id: str) -> list[str]:
    """Take up again whatever failed or was cancelled of a job and all that hangs on it; the ids.
    Raises BadInput when there is nothing of that kind, or another job keeps it from going on."""
    with connection.transaction():
        found = [one for one, status in below(connection, job_id) if status in _WORDS]
        with as_owner(connection):
            taken = _again(connection, found)
        if again := [one for one, cause in taken.items() if cause is None]:
            return again
    causes = sorted({cause for cause in taken.values() if cause is not None})
    raise BadInput(
        f"Of job {job_id} and what hangs on it, nothing can be retried.",
        hint=f"Retry job {causes[0]}, which it waits for." if causes else "Nothing of it failed.",
    )


def below(connection: Connection, job_id: str) -> list[tuple[str, str]]:
    """A job and all that hangs on it, as far as the caller may see: ids, each with its status."""
    rows = connection.execute(query("needs", "below"), {"job_id": job_id}).fetchall()
    return [(row["job_id"], row["status"]) for row in rows]


def _again(connection: Connection, job_ids: list[str]) -> dict[str, str | None]:
    """Take up those of these jobs that are over without success, and what was cancelled because of
    them, except for what another job keeps from going on: all of them by id, each with that."""
    values = {"job_ids": job_ids}
    connection.execute(query("needs", "hold_for_retry"), values)
    rows = connection.execute(query("needs", "again"), values).fetchall()
    free = [row["job_id"] for row in rows if row["cause"] is None]
    connection.execute(query("jobs", "retry"), {"job_ids": free})
    release(connection, free)
    stuck = [row for row in rows if row["cause"] is not None]
    connection.execute(
        query("needs", "still_off"),
        {
            "job_ids": [row["job_id"] for row in stuck],
            "causes": [row["cause"] for row in stuck],
            "statuses": [row["status"] for row in stuck],
        },
    )
    return {row["job_id"]: row["cause"] for row in rows}


def _connection_is_busy(connection: Connection, job_id: str) -> bool:
    """Whether a job that has nothing to do with others is in the way of its connection's next one:
    the jobs of a graph wait for their turn."""
    found = connection.execute(query("needs", "pushed_aside"), {"job_id": job_id}).fetchone()
    return found is not None


def _now(connection: Connection, job_id: str) -> JobRow:
    row = jobs.get(connection, job_id)
    assert row is not None, "it was changed a moment ago"
    return row
