"""The ingestion step of a workflow (A4.14): run once it asks for the job, run again it looks."""

from __future__ import annotations

import hashlib
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from headrace.client.answers import ClientError, Job
from headrace.client.api import Client


@dataclass(frozen=True)
class StepResult:
    """How a step went. `status` is "ingesting", "succeeded", "failed" or "timed_out"; `success` is
    None as long as it is "ingesting". `result_summary` counts files, chunks and embeddings."""

    status: str
    success: bool | None
    job_id: str | None = None
    result_summary: dict[str, int] | None = None
    error_message: str | None = None


_LONGEST_KEY = 255


def topic(execution_id: str, step_id: str) -> str:
    """Where the end of a step's job is told (A4.9)."""
    return f"wf:{execution_id}:{step_id}:ingestion_done"


def ingestion_step(
    client: Client,
    config: Mapping[str, Any],
    *,
    tenant_id: str | None,
    execution_id: str,
    step_id: str,
    dbos_workflow_id: str,
    job_id: str | None = None,
) -> StepResult:
    """Run an ingestion step: without a `job_id` ask for the job, with it look how the job is.

    "ingesting" means: wait in the workflow for `topic(execution_id, step_id)`, then run the step
    again with the `job_id` it returned. Run again without, as after a crash, it finds the same job,
    for `execution_id:step_id` is its idempotency key.

    Raises ClientError, always a `temporary` one, when the service cannot tell just now; what it
    refuses is a step that failed.
    """
    metadata = {
        "execution_id": execution_id,
        "step_id": step_id,
        "callback_topic": topic(execution_id, step_id),
        "dbos_workflow_id": dbos_workflow_id,
    }
    if tenant_id is not None:
        metadata["tenant_id"] = tenant_id
    try:
        if job_id is None:
            job = client.create_ingestion(config, metadata, _key(execution_id, step_id))
            if not job.over:
                return _result(job)
            job_id = job.job_id
        return _result(client.get_ingestion(job_id))
    except ClientError as error:
        if error.temporary:
            raise
        return StepResult("failed", False, job_id, error_message=str(error))


def _key(execution_id: str, step_id: str) -> str:
    """The step's idempotency key, as a header can carry it."""
    plain = urllib.parse.quote(f"{execution_id}:{step_id}", safe=":")
    return plain if len(plain) <= _LONGEST_KEY else hashlib.sha256(plain.encode()).hexdigest()


def _result(job: Job) -> StepResult:
    if not job.over:
        return StepResult("ingesting", None, job.job_id)
    if job.status == "SUCCEEDED":
        return StepResult("succeeded", True, job.job_id, result_summary=job.result_summary)
    reason = job.error_message or f"The job is {job.status}."
    return StepResult("failed", False, job.job_id, error_message=reason)
