"""The workflows: a job's turn, and a stage's work on a batch. `afterwards` has those that follow.

Their steps return ids and counts, never bodies, and nothing secret: DBOS stores what they return.
Changing the order of steps here means raising `queues.VERSION`.
"""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import msgspec
import psycopg
from dbos import DBOS
from psycopg_pool import PoolClosed

from headrace import telemetry
from headrace.crashpoints import mark
from headrace.engine import cascade, chain, extract, insight, jobs, redrive_many, replay, state
from headrace.engine.recovery import deaths
from headrace.engine.sync import Outcome, Source, leg, outcome_of
from headrace.errors import HeadraceError, NeedsHuman, Retry
from headrace.plugins import following, stages
from headrace.store import connections
from headrace.store.connections import Part


def _away(error: BaseException) -> bool:
    # Closed is not away: the process ends, and must not try again for minutes on its way out.
    return isinstance(error, psycopg.OperationalError) and not isinstance(error, PoolClosed)


# A step's error is final to DBOS, but PostgreSQL being away is not: such a step is tried again for
# some minutes, and after that the sweeper finds the job.
durable = partial(
    DBOS.step,
    retries_allowed=True,
    should_retry=_away,
    interval_seconds=0.5,
    backoff_rate=1.5,
    max_attempts=16,
)

_MOST_SEVERE = ("stop", "human", "failed", "retry", "capped", "done")


@durable(name="begin")
async def _begin(job_id: str, turn: int) -> dict[str, Any] | None:
    now = state.current()
    run = await asyncio.to_thread(
        jobs.begin, now.database, job_id, turn, now.settings.headrace_run_minutes
    )
    mark("begun")
    return None if run is None else msgspec.structs.asdict(run)


@DBOS.step(name="plan")
async def _plan(connection_id: str) -> dict[str, Any]:
    """The parts of the connection, or how planning failed: a step's error would be final."""
    try:
        source = await _source(connection_id)
        try:
            parts = await source.plan()
            mark("planned")
        finally:
            await source.aclose()
    except Exception as error:  # noqa: BLE001 - outcome_of knows each kind, and logs bugs
        return {"ended": _plain(outcome_of(error, "plan"))}
    return {"parts": [msgspec.structs.asdict(part) for part in parts]}


@DBOS.step(name="leg")
async def _leg(job_id: str, connection_id: str, parts: list[dict[str, Any]]) -> list[Any]:
    try:
        source = await _source(connection_id)
        try:
            outcomes = await leg(source, job_id, [Part(**part) for part in parts])
        finally:
            await source.aclose()
    except Exception as error:  # noqa: BLE001 - outcome_of knows each kind, and logs bugs
        outcomes = [outcome_of(error, "leg")] * len(parts)
    mark("between-legs")
    return [_plain(outcome) for outcome in outcomes]


@durable(name="conclude")
async def _conclude(job_id: str, turn: int, run: dict[str, Any], ended: dict[str, Any]) -> str:
    mark("before-conclude")
    status = await asyncio.to_thread(
        jobs.conclude, state.current().database, job_id, turn, jobs.Run(**run), Outcome(**ended)
    )
    mark("after-conclude")
    return status


@DBOS.workflow(name="headrace.job")
async def run_job(job_id: str, turn: int) -> str:
    """One turn of a job: legs until every part is done, the time is up, or something is wrong."""
    run = await _begin(job_id, turn)
    if run is None:
        return "superseded"
    if run["kind"] in _WITHOUT_SOURCE:
        return await _run_without_source(job_id, turn, run)
    planned = await _plan(run["connection_id"])
    if "ended" in planned:
        return await _conclude(job_id, turn, run, planned["ended"])
    open_parts = planned["parts"]
    ended: list[Outcome] = []
    while open_parts:
        outcomes = await _leg(job_id, run["connection_id"], open_parts)
        results = [Outcome(**one) for one in outcomes]
        ended += [one for one in results if one.state != "more"]
        open_parts = [
            part for part, one in zip(open_parts, results, strict=True) if one.state == "more"
        ]
        if await _late(run["deadline"]):
            break
    return await _conclude(job_id, turn, run, _plain(_sum_up(ended, bool(open_parts))))


_WITHOUT_SOURCE = {
    extract.KIND: extract.leg,
    replay.KIND: replay.leg,
    insight.KIND: insight.leg,
    redrive_many.KIND: redrive_many.leg,
}
"""What is done of jobs that fetch nothing, leg by leg."""


async def _run_without_source(job_id: str, turn: int, run: dict[str, Any]) -> str:
    """One turn of a job that has no source, and no parts."""
    through = 0
    while True:
        ended = await _work_leg(run["kind"], job_id, turn)
        through = ended["inserted"] = ended["inserted"] + through
        if ended["state"] != "more" or await _late(run["deadline"]):
            return await _conclude(job_id, turn, run, ended)


@DBOS.step(name="work")
async def _work_leg(kind: str, job_id: str, turn: int) -> dict[str, Any]:
    """Errors are told, not raised: a step's error would be final."""
    try:
        leg_ = _WITHOUT_SOURCE[kind]
        ended = await asyncio.to_thread(leg_, state.current().database, job_id, turn)
    except Exception as error:  # noqa: BLE001 - outcome_of knows each kind, and logs bugs
        ended = outcome_of(error, kind)
    return _plain(ended)


@DBOS.step(name="late")
async def _late(deadline: float) -> bool:
    return time.time() >= deadline


def _sum_up(ended: list[Outcome], more: bool) -> Outcome:
    """How a run ended, from how its parts did: the most severe, unless something is left to do."""
    by_state = {one.state: one for one in reversed(ended)}
    for severe in _MOST_SEVERE:
        if severe in by_state and not (severe == "done" and more):
            return by_state[severe]
    return Outcome("more" if more else "done")


def _plain(outcome: Outcome) -> dict[str, Any]:
    return msgspec.structs.asdict(outcome)


async def _source(connection_id: str) -> Source:
    now = state.current()

    def load() -> Source:
        with now.database.connection() as connection:
            row = connections.get(connection, connection_id)
        if row is None:
            raise HeadraceError("The job's connection is gone.", hint="Make it again and sync.")
        return Source(now.database, now.settings, now.vault, row)

    return await asyncio.to_thread(load)


WAITS = 100
"""Attempts of a stage that waits for a service it needs: eight hours, at five minutes each."""


@DBOS.workflow(name="headrace.stage")
def run_stage(stage: str, batch_id: int, attempt: int) -> bool:
    """One stage on one batch, and then what comes after it, in the same process: nobody has to look
    for the next one. A failure is tried again later, by a workflow of its own."""
    return _chain(stage, batch_id, attempt)


def _chain(stage: str, batch_id: int, attempt: int) -> bool:
    """The stage, and then every other that waits for nothing else any more."""
    content = _stage_step(stage, batch_id, attempt)
    if not content:
        return False
    stopped: set[str] = set()
    for step in following(content, stage):
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
