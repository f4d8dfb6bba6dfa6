"""Callbacks: whoever waits for a job is told of its end once, whatever happens meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row
from sqlalchemy import create_engine
from starlette.testclient import TestClient
from tests.ingestion.conftest import Rows, over, until
from tests.ingestion.test_letter import PATH, ask
from tests.ingestion.test_results import CLEAN, Working

from headrace.store.migrate import engine_url

TOPIC = "wf:exec-456:ingestion-step:ingestion_done"
NOTICES = "SELECT count(*) AS n FROM dbos.workflow_status WHERE name = 'headrace.notify'"


def park(url: str, *names: str) -> None:
    """Workflows of another application that nobody runs yet: what is sent to them stays there."""
    from dbos import DBOSClient

    engine = create_engine(engine_url(url))
    client = DBOSClient(system_database_engine=engine, application_name="workflow-engine")
    try:
        for name in names:
            client.enqueue({"workflow_name": "waits", "queue_name": "nobody", "workflow_id": name})
    finally:
        client.destroy()
        engine.dispose()


def sent(rows: Rows, to: str) -> list[dict[str, Any]]:
    """Every message that a workflow has been sent: topic and content."""
    return rows(
        "SELECT topic, message::json AS message FROM dbos.notifications"
        " WHERE destination_uuid = %s ORDER BY created_at_epoch_ms",
        to,
    )


def told(rows: Rows) -> None:
    """Wait until every notice that is on the queue has been taken care of."""
    open_ = f"{NOTICES} AND status IN ('ENQUEUED', 'PENDING')"
    until(lambda: rows(NOTICES)[0]["n"] and rows(open_)[0]["n"] == 0)


def waiter(to: str, topic: str = TOPIC) -> dict[str, Any]:
    return {"metadata": {"callback_topic": topic, "dbos_workflow_id": to}}


@pytest.mark.timeout(120)
def test_the_end_of_a_job_is_told_once(
    url: str, client: TestClient, documents: Path, working: Working, rows: Rows
) -> None:
    """Covers A4.9, A4.15: of success with the result, of failure and cancellation with the reason;
    each to its own waiter and topic, and `execution_id` is a waiter where none is named."""
    park(url, "good", "bad", "called-off")
    missing = str(documents / "missing")
    called_off = ask(client, {"input": [f"{documents}/*.md"]}, **waiter("called-off")).json()
    assert client.post(f"{PATH}/{called_off['job_id']}/cancel").status_code == 200
    with working():
        named = {"metadata": {"callback_topic": TOPIC, "execution_id": "good"}}
        good = ask(client, {"input": [str(documents)]}, **named).json()["job_id"]
        bad = ask(client, {"input": [missing]}, **waiter("bad", "other")).json()["job_id"]
        over(client, good)
        reason = over(client, bad)["error_message"]
        told(rows)
        until(lambda: all(sent(rows, one) for one in ("good", "bad", "called-off")))
    done = {"job_id": good, "status": "SUCCEEDED", "result_summary": CLEAN}
    assert sent(rows, "good") == [{"topic": TOPIC, "message": done}]
    failed = {"job_id": bad, "status": "FAILED", "error_message": reason}
    assert sent(rows, "bad") == [{"topic": "other", "message": failed}]
    [message] = sent(rows, "called-off")
    assert message["message"] == {
        "job_id": called_off["job_id"],
        "status": "CANCELLED",
        "error_message": "The job was cancelled.",
    }


@pytest.mark.timeout(120)
def test_everybody_who_shares_a_job_is_told(
    url: str, client: TestClient, documents: Path, working: Working, rows: Rows
) -> None:
    """Covers A4.15: two executions over one folder at one time, one of them asking twice."""
    park(url, "first", "second")
    config = {"input": [str(documents)]}
    job_id = ask(client, config, "1", **waiter("first")).json()["job_id"]
    for _ in range(2):
        assert ask(client, config, "2", **waiter("second")).json()["job_id"] == job_id
    ask(client, config)  # and one who does not wait
    with working():
        over(client, job_id)
        until(lambda: sent(rows, "second"))
        told(rows)
    done = {"job_id": job_id, "status": "SUCCEEDED", "result_summary": CLEAN}
    for one in ("first", "second"):
        assert sent(rows, one) == [{"topic": TOPIC, "message": done}]


@pytest.mark.timeout(120)
def test_every_end_of_a_job_that_is_retried_is_told(
    url: str, client: TestClient, documents: Path, working: Working, rows: Rows
) -> None:
    """Covers A4.15: the end of each turn is a message of its own."""
    park(url, "patient")
    folder = documents / "later"
    with working():
        job_id = ask(client, {"input": [str(folder)]}, **waiter("patient")).json()["job_id"]
        over(client, job_id)
        until(lambda: len(sent(rows, "patient")) == 1)
        folder.mkdir()
        client.post(f"{PATH}/{job_id}/retry")
        until(lambda: len(sent(rows, "patient")) == 2)
        told(rows)
    states = [one["message"]["status"] for one in sent(rows, "patient")]
    assert states == ["FAILED", "SUCCEEDED"]


@pytest.mark.timeout(120)
def test_a_waiter_that_is_not_there_changes_nothing(
    url: str, client: TestClient, documents: Path, working: Working, rows: Rows
) -> None:
    """Covers A4.15: the job has succeeded. The message is tried again later; the workflow that has
    begun to exist by then is told."""
    with working():
        job_id = ask(client, {"input": [str(documents)]}, **waiter("late")).json()["job_id"]
        done = over(client, job_id)
        until(lambda: rows(f"{NOTICES} AND status = 'DELAYED'")[0]["n"])
        assert client.get(f"{PATH}/{job_id}").json() == done
        assert done["status"] == "SUCCEEDED"
        assert done["result_summary"] == CLEAN
        assert rows("SELECT FROM dbos.notifications") == []
        park(url, "late")
        rows(
            "UPDATE dbos.workflow_status SET delay_until_epoch_ms = 1 WHERE status = 'DELAYED'"
            " RETURNING workflow_uuid"
        )
        [message] = until(lambda: sent(rows, "late"))
    assert message["message"]["job_id"] == job_id


@pytest.mark.timeout(120)
def test_the_callers_dbos_may_have_a_database_of_its_own(
    databases: Callable[..., str],
    client: TestClient,
    documents: Path,
    working: Working,
    rows: Rows,
) -> None:
    """Covers A4.21: DBOS_DATABASE_URL names where the callers' workflows are."""
    elsewhere = databases()
    park(elsewhere, "abroad")
    with (
        psycopg.connect(elsewhere, autocommit=True, row_factory=dict_row) as connection,
        working(dbos_database_url=elsewhere),
    ):

        def there(query: str, *values: Any) -> list[dict[str, Any]]:
            return connection.execute(query, values).fetchall()

        job_id = ask(client, {"input": [str(documents)]}, **waiter("abroad")).json()["job_id"]
        [message] = until(lambda: sent(there, "abroad"))
        told(rows)
    assert message["message"]["job_id"] == job_id
    assert rows("SELECT FROM dbos.notifications") == []
