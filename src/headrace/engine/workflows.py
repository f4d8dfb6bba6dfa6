"""The workflow of a job's turn. `stage_workflow` has that of a stage, `afterwards` what follows.

Their steps return ids and counts, never bodies, and nothing secret: DBOS stores what they return.
Changing the order of steps here means raising `queues.VERSION`.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

import msgspec
from dbos import DBOS

from headrace.crashpoints import mark
from headrace.engine import (
    drain,
    extract,
    insight,
    jobs,
    redrive_many,
    replay,
    state,
)
from headrace.engine.steps import durable
from headrace.engine.suspects import gives_way, watched
from headrace.engine.sync import Outcome, Source, leg, outcome_of
from headrace.errors import HeadraceError
from headrace.logs.about import about, also
from headrace.store import connections
from headrace.store.connections import Part

_MOST_SEVERE = ("stop", "human", "failed", "retry", "capped", "done")


@durable(name="begin")
async def _begin(job_id: str, turn: int) -> dict[str, Any] | None:
    now = state.current()
    run = await asyncio.to_thread(
        jobs.begin,
        now.database,
        job_id,
        turn,
        now.settings.headrace_run_minutes,
        now.settings.headrace_job_hours,
    )
    mark("begun")
    return None if run is None else msgspec.structs.asdict(run)


@DBOS.step(name="plan")
async def _plan(job_id: str, connection_id: str, ends: float | None = None) -> dict[str, Any]:
    """The parts of the connection, or how planning failed: a step's error would be final."""

    async def work() -> list[Part]:
        source = await _source(connection_id)
        try:
            parts = await source.plan()
            mark("planned")
        finally:
            await source.aclose()
        return parts

    try:
        parts = await watched(state.current().database, job_id, ends, work)
    except Exception as error:  # noqa: BLE001 - outcome_of knows each kind, and logs bugs
        return {"ended": _plain(outcome_of(error, "plan"))}
    return {"parts": [msgspec.structs.asdict(part) for part in parts]}


@DBOS.step(name="leg")
async def _leg(
    job_id: str, connection_id: str, parts: list[dict[str, Any]], ends: float | None = None
) -> list[Any]:
    async def work() -> list[Outcome]:
        source = await _source(connection_id)
        try:
            return await leg(source, job_id, [Part(**part) for part in parts])
        finally:
            await source.aclose()

    try:
        outcomes = await watched(state.current().database, job_id, ends, work)
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
    with about(jobId=job_id, turn=turn):
        return await _run(job_id, turn)


async def _run(job_id: str, turn: int) -> str:
    drain.pass_on()
    run = await _begin(job_id, turn)
    if run is None:
        return "superseded"
    also(tenantId=run["tenant"], userId=run["user"])
    if run["kind"] in _WITHOUT_SOURCE:
        return await _run_without_source(job_id, turn, run)
    drain.pass_on()
    ends = run.get("ends")
    planned = await _plan(job_id, run["connection_id"], ends)
    if "ended" in planned:
        return await _conclude(job_id, turn, run, planned["ended"])
    open_parts = planned["parts"]
    ended: list[Outcome] = []
    while open_parts:
        drain.pass_on()
        outcomes = await _leg(job_id, run["connection_id"], open_parts, ends)
        results = [Outcome(**one) for one in outcomes]
        ended += [one for one in results if one.state != "more"]
        open_parts = [
            part for part, one in zip(open_parts, results, strict=True) if one.state == "more"
        ]
        if await _late(run["deadline"], run):
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
        drain.pass_on()
        ended = await _work_leg(run["kind"], job_id, turn, run.get("ends"))
        through = ended["inserted"] = ended["inserted"] + through
        if ended["state"] != "more" or await _late(run["deadline"], run):
            return await _conclude(job_id, turn, run, ended)


@DBOS.step(name="work")
async def _work_leg(kind: str, job_id: str, turn: int, ends: float | None = None) -> dict[str, Any]:
    """Errors are told, not raised: a step's error would be final."""
    database = state.current().database

    async def work() -> Outcome:
        return await asyncio.to_thread(_WITHOUT_SOURCE[kind], database, job_id, turn)

    try:
        ended = await watched(database, job_id, ends, work)
    except Exception as error:  # noqa: BLE001 - outcome_of knows each kind, and logs bugs
        ended = outcome_of(error, kind)
    return _plain(ended)


@DBOS.step(name="late")
async def _late(deadline: float, run: dict[str, Any] | None = None) -> bool:
    """Whether the turn ends here, though there is more to do."""
    if time.time() >= deadline or run is None:
        return time.time() >= deadline
    whole = jobs.Run(**run)
    return await asyncio.to_thread(gives_way, state.current().database, whole, DBOS.workflow_id)


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
