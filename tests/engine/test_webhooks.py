"""What the engine tells webhooks: ends of jobs, in the transaction that ends them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.engine.test_jobs import FAILED, turn
from tests.store.test_outbox import endpoint

from headrace.engine import jobs
from headrace.engine.sync import Outcome

if TYPE_CHECKING:
    from tests.engine.conftest import Bench


def told(bench: Bench) -> list[tuple[str, str]]:
    rows = bench.rows("SELECT * FROM headrace.webhook_deliveries ORDER BY delivery_id")
    return [(row["event"], row["subject"]) for row in rows]


def test_every_end_is_told_with_its_reason(bench: Bench) -> None:
    """Of a job that has failed, of one that was retried and did succeed; not of one that waits, nor
    of one that somebody has called off."""
    endpoint(bench.database, "hook", "job.succeeded", "job.failed", "connection.needs_reauth")
    connection = bench.connect()
    job = bench.submit(connection)
    turn(bench, job, FAILED)  # it is tried again
    turn(bench, job, Outcome("human", error="No.", hint="Sign in.", reauth=True))
    of_job, of_connection = f"job/{job}", f"connection/{connection['connection_id']}"
    expected = [("connection.needs_reauth", of_connection), ("job.failed", of_job)]
    assert sorted(told(bench)) == sorted(expected)
    with bench.database.transaction() as session:
        jobs.retry(session, job)
    turn(bench, job, Outcome("done"))
    assert told(bench)[2:] == [("job.succeeded", of_job)]
    rows = bench.rows("SELECT data FROM headrace.webhook_deliveries WHERE subject = %s", of_job)
    failed, succeeded = sorted((row["data"] for row in rows), key=lambda data: data["turn"])
    assert (failed["status"], failed["error"], failed["hint"]) == ("FAILED", "No.", "Sign in.")
    assert (succeeded["status"], succeeded["error"]) == ("SUCCEEDED", None)
    off = bench.submit(connection)
    with bench.database.people("acme", "ann") as session:
        jobs.cancel(session, off)
    assert len(told(bench)) == 3
