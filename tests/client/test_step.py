"""The ingestion step without a workflow around it: run, and run again."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from tests.ingestion.conftest import write
from tests.ingestion.services import KEY

from headrace.client import Client, ClientError, StepResult, ingestion_step, run_ingestion, topic


def test_run_again_it_finds_its_job_and_succeeds(client: Client, root: Path) -> None:
    """Covers A4.9, A4.14, A4.17, A4.18: "ingesting" first; success with the summary in the end,
    whether it is run again with the job's id or, as after a crash, without."""
    (root / "tea").mkdir()
    write(root / "tea" / "tea.md", "# Tea\n\nIt is steeped.\n")
    long = "exec-é/" + "x" * 240
    step = partial(
        ingestion_step,
        client,
        {"input": [str(root / "tea")]},
        tenant_id=None,
        execution_id=long,
        step_id="s" * 200,
        dbos_workflow_id=long,
    )
    first = step()
    assert first == StepResult("ingesting", None, first.job_id)
    while (again := step(job_id=first.job_id)).status == "ingesting":
        assert again == first
    counts = {"files_processed": 1, "chunks_created": 1, "embeddings_generated": 1}
    assert again == StepResult("succeeded", True, first.job_id, result_summary=counts)
    assert step() == again
    assert topic("exec-456", "ingestion-step") == "wf:exec-456:ingestion-step:ingestion_done"


def test_what_cannot_be_done_is_a_failed_step(client: Client, root: Path, tmp_path: Path) -> None:
    """Covers A4.18: a job that fails or is cancelled, and one that is refused."""
    named = {"tenant_id": "org-9", "execution_id": "e", "dbos_workflow_id": "e"}
    step = partial(ingestion_step, client, {"input": [str(root / "missing")]}, **named)
    first = step(step_id="1")
    while (failed := step(step_id="1", job_id=first.job_id)).status == "ingesting":
        pass
    assert (failed.status, failed.success, failed.result_summary) == ("failed", False, None)
    assert "There is no folder" in (failed.error_message or "")
    second = step(step_id="2")
    client.cancel(second.job_id or "")
    cancelled = step(step_id="2")
    assert cancelled.success is False
    assert cancelled.error_message == "The job is CANCELLED."
    refused = ingestion_step(client, {"input": [str(tmp_path)]}, step_id="3", **named)
    assert (refused.status, refused.job_id) == ("failed", None)
    assert "HEADRACE_DOCUMENT_ROOTS" in (refused.error_message or "")


def test_when_nobody_answers_the_step_says_nothing(root: Path) -> None:
    """Covers A4.18: that the service is away is no failure of the job."""
    away = Client("http://127.0.0.1:9", KEY)
    with pytest.raises(ClientError, match="does not answer") as caught:
        ingestion_step(
            away, {}, tenant_id=None, execution_id="e", step_id="s", dbos_workflow_id="e"
        )
    assert caught.value.temporary


def test_waiting_is_for_workflows(client: Client) -> None:
    """Covers A4.17: outside of one there is nothing that could be woken."""
    with pytest.raises(ClientError, match="waits in a DBOS workflow"):
        run_ingestion(client, {}, step_id="s")
