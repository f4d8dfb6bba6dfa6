"""The waiting around the ingestion step, inside a DBOS workflow."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from headrace.client.answers import ClientError
from headrace.client.api import Client
from headrace.client.step import StepResult, ingestion_step, topic

_FIRST_WAIT_SECONDS = 1.0
"""The wait after a request that nobody answered; it doubles up to the time between two looks."""


def run_ingestion(
    client: Client,
    config: Mapping[str, Any],
    *,
    step_id: str,
    tenant_id: str | None = None,
    execution_id: str | None = None,
    timeout_seconds: float = 86_400,
    poll_seconds: float = 60,
) -> StepResult:
    """Have documents ingested, and wait until they are. Call it in a DBOS workflow that is not
    async, not in a step; its process may be killed and recovered anywhere. `execution_id` is the
    workflow's id, unless another is given.

    The message of the job's end wakes it. Should none come, it looks every `poll_seconds`; should
    the service be away, it asks again. Refusals and failures are a result with `success=False`; so
    is "timed_out", after `timeout_seconds`: the job itself goes on.
    """
    from dbos import DBOS, StepOptions

    workflow_id = DBOS.workflow_id
    if workflow_id is None:
        raise ClientError("run_ingestion waits in a DBOS workflow.", "Call it inside of one.")
    execution = execution_id or workflow_id

    def look(job_id: str | None) -> dict[str, Any]:
        """What DBOS keeps: plain values, and the time, which a recovery must not read anew."""
        try:
            result = ingestion_step(
                client,
                config,
                tenant_id=tenant_id,
                execution_id=execution,
                step_id=step_id,
                dbos_workflow_id=workflow_id,
                job_id=job_id,
            )
            away = None
        except ClientError as error:
            result, away = StepResult("ingesting", None, job_id), str(error)
        return {"result": asdict(result), "away": away, "at": time.time()}

    named = StepOptions(name="headrace.ingestion_step")
    looked = DBOS.run_step(named, look, None)
    until = looked["at"] + timeout_seconds
    wait = _FIRST_WAIT_SECONDS
    while looked["result"]["status"] == "ingesting":
        left = until - looked["at"]
        if left <= 0:
            said = looked["away"] or "The job is not over."
            job_id = looked["result"]["job_id"]
            message = f"Nothing came of it in {timeout_seconds:g} s. {said}"
            return StepResult("timed_out", False, job_id, error_message=message)
        pause = min(wait, poll_seconds) if looked["away"] else poll_seconds
        wait = wait * 2 if looked["away"] else _FIRST_WAIT_SECONDS
        # The message only wakes: what counts is how the job is, and the look says that.
        DBOS.recv(topic(execution, step_id), timeout_seconds=min(pause, left))
        looked = DBOS.run_step(named, look, looked["result"]["job_id"])
    return StepResult(**looked["result"])
