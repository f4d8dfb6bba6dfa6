"""Callbacks: whoever waits for a job is told of its end, once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.ingestion.callers import TOPIC, park, sent, waiter
from tests.ingestion.conftest import Rows, over, until
from tests.ingestion.test_letter import PATH, ask
from tests.ingestion.test_results import CLEAN

from headrace.engine.runtime import engine
from headrace.settings import Settings

NOTICES = "SELECT status FROM dbos.workflow_status WHERE name = 'headrace.notify'"


@pytest.mark.timeout(120)
def test_the_end_of_a_job_is_told_once(
    url: str, client: TestClient, documents: Path, tmp_path: Path, rows: Rows
) -> None:
    """Covers A4.9, A4.15: success with the result, failure and cancellation with the reason; to
    `execution_id` where no workflow is named, and to both of two executions that share a job, one
    of which asks twice."""
    park(url, "good", "second", "bad", "called-off")
    config = {"input": [str(documents)]}

    def asked(config: dict[str, Any], key: str, **more: Any) -> str:
        return str(ask(client, config, key, **more).json()["job_id"])

    named = {"metadata": {"callback_topic": TOPIC, "execution_id": "good"}}
    good = asked(config, "1", **named)
    for _ in range(2):
        assert asked(config, "2", **waiter("second")) == good
    assert asked(config, "3") == good, "and one who does not wait"
    bad = asked({"input": [str(documents / "missing")]}, "4", **waiter("bad", "other"))
    called_off = asked({"input": [f"{documents}/*.md"]}, "5", **waiter("called-off"))
    assert client.post(f"{PATH}/{called_off}/cancel").status_code == 200
    with engine(
        url,
        Settings(_env_file=None, headrace_home=tmp_path, headrace_document_roots=str(documents)),
    ):
        over(client, good)
        reason = over(client, bad)["error_message"]
        until(lambda: [one["status"] for one in rows(NOTICES)] == ["SUCCESS"] * 3)
    done = {"job_id": good, "status": "SUCCEEDED", "result_summary": CLEAN}
    for one in ("good", "second"):
        assert sent(rows, one) == [{"topic": TOPIC, "message": done}]
    failed = {"job_id": bad, "status": "FAILED", "error_message": reason}
    assert sent(rows, "bad") == [{"topic": "other", "message": failed}]
    cancelled = {
        "job_id": called_off,
        "status": "CANCELLED",
        "error_message": "The job was cancelled.",
    }
    assert sent(rows, "called-off") == [{"topic": TOPIC, "message": cancelled}]
