"""The workflow of a stage's work on a batch, and of the stages after it.

Changing the order of steps here means raising `queues.VERSION`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import psycopg
from dbos import DBOS

from headrace import telemetry
from headrace.crashpoints import mark
from headrace.engine import (
    cascade,
    chain,
    drain,
    state,
)
from headrace.engine.recovery import deaths
from headrace.engine.steps import durable
from headrace.errors import NeedsHuman, Retry
from headrace.logs.about import about
from headrace.plugins import following, stages

WAITS = 100
"""Attempts of a stage that waits for a service it needs: eight hours, at five minutes each."""


@DBOS.workflow(name="headrace.stage")
def run_stage(stage: str, batch_id: int, attempt: int) -> bool:
    """One stage on one batch, and then what comes after it, in the same process: nobody has to look
    for the next one. A failure is tried again later, by a workflow of its own."""
    return _chain(stage, batch_id, attempt)


def _chain(stage: str, batch_id: int, attempt: int) -> bool:
    """The stage, and then every other that waits for nothing else any more."""
    drain.pass_on()
    content = _stage_step(stage, batch_id, attempt)
    if not content:
        return False
    stopped: set[str] = set()
    for step in following(content, stage):
        drain.pass_on()
        name = step.stage.name
        held_up = step.stage.apart or any(one.name in stopped for one in step.before)
        if held_up or not _next_step(name, batch_id, fan_in=len(step.before) > 1):
            stopped.add(name)
    return not stopped


@durable(name="next")
def _next_step(stage: str, batch_id: int, *, fan_in: bool) -> bool:
    """A stage that comes after another one; not yet, where it waits for one that failed."""
    if fan_in and not chain.ready(state.current().database, stage, batch_id):
        return False
    return bool(_run_stage(stage, batch_id, 0))


@durable(name="stage")
def _stage_step(stage: str, batch_id: int, attempt: int) -> str:
    """The content that the batch is of, which says what comes next; "" where the stage failed."""
    return _run_stage(stage, batch_id, attempt)


def _run_stage(stage: str, batch_id: int, attempt: int) -> str:
    with about(stage=stage, batchId=batch_id):
        return _run(stage, batch_id, attempt)


def _run(stage: str, batch_id: int, attempt: int) -> str:
    database = state.current().database
    try:
        mark("before-stage")
        died = deaths(database, str(DBOS.workflow_id))
        isolate = attempt >= cascade.ATTEMPTS
        ran = cascade.run_stage(database, stage, batch_id, isolate=isolate, deaths=died)
        mark("after-stage")
        return ran.content
    except psycopg.OperationalError:
        raise
    except Retry as wait:
        # A service that it needs is busy: not its fault, and not for ever.
        if attempt >= WAITS:
            cascade.give_up(database, stage, batch_id, str(wait))
        else:
            seconds = min(300, 2**attempt) if wait.after is None else wait.after
            _again(stage, batch_id, attempt, seconds)
        return ""
    except NeedsHuman as error:
        cascade.give_up(database, stage, batch_id, str(error))
        return ""
    except Exception as error:  # noqa: BLE001 - any failure of a stage is tried again
        telemetry.bug(f"stage {stage} on batch {batch_id}", error)
        if attempt >= cascade.ATTEMPTS:
            cascade.give_up(database, stage, batch_id, repr(error))
            return ""
        _again(stage, batch_id, attempt, 2**attempt)
        return ""


def _again(stage: str, batch_id: int, attempt: int, seconds: float) -> None:
    with state.current().database.transaction() as connection:
        chain.enqueue_stage(
            connection,
            stages()[stage],
            batch_id,
            attempt=attempt + 1,
            not_before=datetime.now(UTC) + timedelta(seconds=seconds),
        )
