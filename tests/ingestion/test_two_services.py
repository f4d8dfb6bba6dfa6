"""The example: Headrace and a workflow engine as two processes, and either killed anywhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.ingestion.conftest import Rows, until
from tests.ingestion.services import KEY, Services
from tests.ingestion.test_callbacks import TOPIC, sent
from tests.ingestion.test_results import CLEAN

from headrace.client import Client

OVER = "SELECT job_id, status FROM headrace.jobs WHERE completed_at IS NOT NULL"
ASKED = "SELECT job_id FROM headrace.jobs"
LOOKED = (
    "SELECT output FROM dbos.operation_outputs WHERE function_name = 'headrace.ingestion_step'"
    " AND workflow_uuid = %s"
)
TENANT = "org-123"


@pytest.mark.timeout(120)
def test_either_is_killed_around_the_message(
    services: Services, documents: Path, rows: Rows
) -> None:
    """Covers A4.13-A4.18, A4.8: Headrace dies between the job's end and the message, the engine
    while it waits, Headrace again when the message is out and that is not written down yet. There
    is one job, one message, and the step returns success."""
    dying = services.headrace(crash="before-notify")
    waiting = services.engine("exec-1", documents, TENANT)
    dying.dies()
    [job] = rows(OVER)
    assert job["status"] == "SUCCEEDED"
    assert sent(rows, "exec-1") == []
    assert waiting.running
    waiting.kill()
    services.headrace(crash="after-notify").dies()
    [message] = sent(rows, "exec-1")
    done = {**job, "result_summary": CLEAN}
    assert message == {"topic": TOPIC.replace("exec-456", "exec-1"), "message": done}
    services.headrace()
    again = services.engine("exec-1", documents, TENANT)
    assert again.result() == {"done": True, "job_id": job["job_id"], **CLEAN}
    until(lambda: notified(rows))
    assert len(sent(rows, "exec-1")) == 1
    assert rows("SELECT tenant_id FROM headrace.jobs") == [{"tenant_id": TENANT}]


def notified(rows: Rows) -> bool:
    """Whether every notice has been taken care of."""
    states = rows("SELECT status FROM dbos.workflow_status WHERE name = 'headrace.notify'")
    return [one["status"] for one in states] == ["SUCCESS"]


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
def test_each_has_a_database_of_its_own(
    services: Services, databases: Callable[..., str], documents: Path, rows: Rows
) -> None:
    """Covers A4.18, A4.21: DBOS_DATABASE_URL names the engine's for both. Where Headrace is not
    told of it, no message comes, and the workflow looks by itself; a failed job fails the step."""
    engines = databases(empty=True)
    lonely = services.headrace()
    polls = {"DBOS_DATABASE_URL": engines, "INGESTION_POLL_SECONDS": "0.2"}
    missing = services.engine("exec-3", documents / "missing", **polls).result()
    assert missing["done"] is False
    assert missing["why"].startswith(f"There is no folder {documents / 'missing'}. ")
    lonely.kill()
    services.headrace(DBOS_DATABASE_URL=engines)
    ended = services.engine("exec-4", documents, DBOS_DATABASE_URL=engines).result()
    assert ended["done"] is True
    assert rows("SELECT FROM dbos.notifications") == []


@pytest.mark.timeout(120)
def test_what_is_refused_or_never_answered_ends_the_step(
    services: Services, documents: Path, tmp_path: Path
) -> None:
    """Covers A4.18: a folder that may not be named at once, a service that is away in time; the
    workflow goes on with the reason."""
    away = services.engine("exec-5", documents, INGESTION_TIMEOUT_SECONDS="0.5").result()
    assert away["done"] is False
    assert away["why"].startswith("Nothing came of it in 0.5 s. Headrace does not answer at")
    services.headrace()
    closed = services.engine("exec-6", tmp_path).result()
    assert closed["done"] is False
    assert "HEADRACE_DOCUMENT_ROOTS" in closed["why"]
    assert list(Client(services.url, KEY).list()) == []
