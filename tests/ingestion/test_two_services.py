"""The example: Headrace and a workflow engine as two processes, and either killed anywhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from psycopg.rows import dict_row
from tests.ingestion.callers import TOPIC, sent
from tests.ingestion.conftest import Rows, until
from tests.ingestion.services import KEY, Services
from tests.ingestion.test_results import CLEAN

from headrace.client import Client

OVER = "SELECT job_id, status FROM headrace.jobs WHERE completed_at IS NOT NULL"
ASKED = "SELECT job_id FROM headrace.jobs"
LOOKED = (
    "SELECT output FROM dbos.operation_outputs WHERE function_name = 'headrace.ingestion_step'"
    " AND workflow_uuid = %s"
)
NOTIFIED = "SELECT FROM dbos.workflow_status WHERE name = 'headrace.notify' AND status = 'SUCCESS'"


@pytest.mark.timeout(120)
def test_either_is_killed_around_the_message(
    services: Services, new_database: Callable[..., str], documents: Path, rows: Rows
) -> None:
    """Covers A4.8, A4.13-A4.18, A4.21: Headrace dies between the job's end and the message, the
    engine while it waits, Headrace again when the message is out and that is not written down yet.
    There is one job, one message, and the step returns success. The engine's DBOS has a database of
    its own."""
    engines = new_database(empty=True)
    there = {"DBOS_DATABASE_URL": engines}
    dying = services.headrace(crash="before-notify", **there)
    waiting = services.engine("exec-1", documents, "org-123", **there)
    dying.dies()
    [job] = rows(OVER)
    assert job["status"] == "SUCCEEDED"
    with psycopg.connect(engines, autocommit=True, row_factory=dict_row) as connection:

        def elsewhere(query: str, *values: object) -> list[dict[str, object]]:
            return connection.execute(query, values).fetchall()

        assert sent(elsewhere, "exec-1") == []
        assert waiting.running
        waiting.kill()
        services.headrace(crash="after-notify", **there).dies()
        [message] = sent(elsewhere, "exec-1")
        done = {**job, "result_summary": CLEAN}
        assert message == {"topic": TOPIC.replace("exec-456", "exec-1"), "message": done}
        services.headrace(**there)
        again = services.engine("exec-1", documents, "org-123", **there)
        assert again.result() == {"done": True, "job_id": job["job_id"], **CLEAN}
        until(lambda: rows(NOTIFIED))
        assert len(sent(elsewhere, "exec-1")) == 1
    assert rows("SELECT tenant_id FROM headrace.jobs") == [{"tenant_id": "org-123"}]


@pytest.mark.timeout(120)
def test_the_engine_asks_before_headrace_is_there_and_is_gone_when_it_ends(
    services: Services, documents: Path, rows: Rows
) -> None:
    """Covers A4.14, A4.16, A4.18: the step that nobody answers is tried again; killed after the
    job was asked for, it is recovered when the message has long been sent, and finds it."""
    waiting = services.engine("exec-2", documents)
    waiting.until(lambda: rows(LOOKED, "exec-2"))
    services.headrace()
    waiting.until(lambda: rows(ASKED))
    waiting.kill()
    until(lambda: sent(rows, "exec-2"))
    [job] = rows(OVER)
    ended = services.engine("exec-2", documents).result()
    assert ended == {"done": True, "job_id": job["job_id"], **CLEAN}
    assert len(sent(rows, "exec-2")) == 1


@pytest.mark.timeout(120)
def test_a_step_always_ends(
    services: Services,
    new_database: Callable[..., str],
    documents: Path,
    tmp_path: Path,
    rows: Rows,
) -> None:
    """Covers A4.18: without a service, in time; with a folder that may not be named, at once; with
    one that is not there, as its job. Where no message can come, the workflow looks by itself."""
    away = services.engine("exec-5", documents, INGESTION_TIMEOUT_SECONDS="0.5").result()
    assert away["done"] is False
    assert away["why"].startswith("Nothing came of it in 0.5 s. Headrace does not answer at")
    services.headrace()
    closed = services.engine("exec-6", tmp_path).result()
    assert closed["done"] is False
    assert "HEADRACE_DOCUMENT_ROOTS" in closed["why"]
    assert list(Client(services.url, KEY).list()) == []
    # Headrace has not been told of this one.
    unknown = {"DBOS_DATABASE_URL": new_database(empty=True), "INGESTION_POLL_SECONDS": "0.2"}
    missing = services.engine("exec-7", documents / "missing", **unknown).result()
    assert missing["done"] is False
    assert missing["why"].startswith(f"There is no folder {documents / 'missing'}. ")
    assert rows("SELECT FROM dbos.notifications") == []
