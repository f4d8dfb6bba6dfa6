"""A job's life: enqueued, begun, paused or ended. Every change is one transaction on its row."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from psycopg.types.json import Jsonb

from headrace import telemetry
from headrace.crashpoints import mark
from headrace.engine import graph, kinds, needs
from headrace.engine.again import cancel as cancel
from headrace.engine.again import retry as retry
from headrace.engine.deadline import DEADLINE_HOURS
from headrace.engine.lanes import SHORT
from headrace.engine.settle import lock, settle, settles
from headrace.engine.sync import Outcome
from headrace.engine.turns import dispatch as dispatch
from headrace.store import connections, jobs
from headrace.store.connections import ConnectionRow
from headrace.store.database import Connection, Database, as_owner
from headrace.store.jobs import JobRow
from headrace.store.sql import query

ATTEMPTS = 5
"""Runs of a job that may fail without landing anything before the job fails (A1.12, X4)."""

_BACKOFF_SECONDS = (2, 300)
_LEAST_WAIT_SECONDS = 1.0
_FINAL = {"done": "SUCCEEDED", "capped": "SUCCEEDED", "stop": "CANCELLED"}


class Run(msgspec.Struct):
    """One turn of a job, as its workflow sees it; small enough to be a step's result."""

    tenant: str
    user: str
    kind: str
    connection_id: str | None
    deadline: float
    began: float
    landed_before: int
    priority: str = "medium"
    lane: str = "incremental"
    ends: float | None = None
    """When it is failed, be it done or not."""


def submit(
    connection: Connection,
    *,
    tenant: str,
    kind: str,
    after: Sequence[str] = (),
    regardless: bool = False,
    **wanted: Any,
) -> tuple[JobRow, bool]:
    """Create a job and its workflow in the caller's transaction; see `store.jobs.create`. One that
    a schedule has put off, so that not all are run at once, is run now: somebody asks for it.

    With `after`, it waits until those jobs have succeeded, or `regardless` of what came of them
    until they are over. Raises UnknownJob for one that the caller does not see, BadInput for one
    that will never succeed, and where nobody does such jobs.
    """
    kinds.check(kind)
    wanted["kind"] = kind
    if after:
        return graph.submit_after(connection, tenant, after, regardless, wanted)
    row, new = jobs.create(connection, tenant=tenant, **wanted)
    if new:
        with as_owner(connection):
            dispatch(connection, row)
    elif row["turn"] == 1 and row["resume_at"] is not None and hasten(connection, row["job_id"]):
        row = jobs.get(connection, row["job_id"]) or row
    return row, new


def submit_syncs(
    connection: Connection, wanted: Sequence[tuple[ConnectionRow, str]], **more: Any
) -> list[JobRow]:
    """Create jobs of these kinds for these connections, and their workflows, in the caller's
    transaction; see `store.jobs.create_syncs`. A connection with a job under way gets no other."""
    made = jobs.create_syncs(connection, wanted, **more)
    with as_owner(connection):
        dispatch(connection, *made)
    return made


def begin(
    database: Database, job_id: str, turn: int, minutes: float, hours: float = DEADLINE_HOURS
) -> Run | None:
    """Take a turn up; None when the job is over or has gone on to another turn. The job may take
    `hours` from its first turn on, where it does not say itself how long."""
    values = {"job_id": job_id, "turn": turn, "most_seconds": hours * 3600}
    with database.transaction() as connection:
        row = connection.execute(query("jobs", "begin"), values).fetchone()
        if row is None:
            return None
        landed = jobs.totals(connection, row["tenant_id"], job_id)
    return Run(
        tenant=row["tenant_id"],
        user=row["user_id"],
        kind=row["kind"],
        connection_id=row["connection_id"],
        deadline=time.time() + minutes * 60,
        began=time.time(),
        landed_before=landed["fetched"],
        priority=row["priority"],
        lane=row["lane"],
        ends=row["deadline_at"].timestamp(),
    )


def conclude(database: Database, job_id: str, turn: int, run: Run, ended: Outcome) -> str:
    """Write down how a turn ended, with whatever follows from it. Returns the job's status.

    Run again after a crash it changes nothing: it applies to this turn only while it is RUNNING.
    """
    with database.transaction() as connection:
        totals = jobs.totals(connection, run.tenant, job_id)
        progressed = totals["fetched"] > run.landed_before or ended.inserted > 0
        attempts = connection.execute(query("jobs", "attempts"), {"job_id": job_id}).fetchone() or {
            "attempts": 0
        }
        tried = 1 + (0 if progressed else int(attempts["attempts"]))
        summary = {
            **totals,
            "timed_out": ended.state == "more",
            "capped": ended.state == "capped",
        }
        values: dict[str, Any] = {
            "job_id": job_id,
            "turn": turn,
            # A job without a source says itself what it has done.
            "summary": None if run.connection_id is None else Jsonb(summary),
            "error": ended.error or None,
            "hint": ended.hint or None,
            "code": ended.code if ended.error else None,
            "progressed": progressed,
            "failed": 0,
            # What is not over after one turn is a backfill, whoever has asked for it.
            "short": list(SHORT) if ended.state == "more" else [],
        }
        # A wait the source asked for is no failure; a run that failed is tried again in a while.
        waited = ended.state == "retry" and not ended.failure
        again = ended.state == "more" or waited
        if ended.state in ("retry", "failed") and not waited:
            values["failed"] = 1
            again = tried < ATTEMPTS
        if again:
            status = _pause(connection, values, _resume_at(ended, tried, progressed))
        else:
            final = _FINAL.get(ended.state, "FAILED")
            if final == "SUCCEEDED" and settles(run.kind):
                status = _land(connection, run.tenant, values)
            else:
                status = _finish(connection, values, final, ended)
        mark("in-conclude")
    with telemetry.of_job(job_id):
        if ended.error and ended.state != "stop":
            telemetry.job_failed(
                job_id, ended.error, ended.hint, attempts=tried, final=status == "FAILED"
            )
        telemetry.run(
            fetched=totals["fetched"],
            inserted=totals["inserted"],
            skipped=totals["unchanged"] + totals["dead_lettered"],
            duration_ms=int((time.time() - run.began) * 1000),
            user=run.user,
            batch=totals["last_batch"],
            timed_out=ended.state == "more",
        )
    return status


def _resume_at(ended: Outcome, tried: int, progressed: bool) -> datetime | None:
    if ended.state == "more" or (ended.after == 0 and progressed):
        return None
    if ended.after is not None:
        # A source that says "at once" and gets nobody anywhere is not asked without a pause.
        wait = max(ended.after, _LEAST_WAIT_SECONDS) * (2 ** (tried - 1) if ended.doubles else 1)
        return datetime.now(UTC) + timedelta(seconds=wait)
    first, most = _BACKOFF_SECONDS
    wait = min(most, first * 2 ** (tried - 1))
    return datetime.now(UTC) + timedelta(seconds=wait * random.uniform(0.5, 1))  # noqa: S311


def _pause(connection: Connection, values: dict[str, Any], resume_at: datetime | None) -> str:
    paused = connection.execute(
        query("jobs", "pause"), {**values, "resume_at": resume_at}
    ).fetchone()
    if paused is not None:
        dispatch(connection, paused)
    return "PENDING"


def _land(connection: Connection, tenant: str, values: dict[str, Any]) -> str:
    """Everything is landed: the job ends with the last of its stages, which may be over already."""
    lock(connection, values["job_id"])
    if connection.execute(query("jobs", "land"), values).fetchone() is not None:
        settle(connection, tenant, values["job_id"])
    row = jobs.get(connection, values["job_id"])
    return str(row["status"]) if row else "CANCELLED"


def _finish(connection: Connection, values: dict[str, Any], status: str, ended: Outcome) -> str:
    if status == "CANCELLED":
        return status
    row = connection.execute(query("jobs", "finish"), {**values, "status": status}).fetchone()
    if row is not None and row["connection_id"] is not None:
        state = "active"
        if status == "FAILED":
            state = "needs_reauth" if ended.reauth else "error"
        connections.health(connection, row["connection_id"], state, ended.error, ended.hint)
        if ended.deadly:
            connections.set_aside(connection, row["connection_id"])
    if row is not None:
        needs.ended(connection, [row])
    return status


def hasten(connection: Connection, job_id: str) -> bool:
    """Have a job that waits after a failure, or that a schedule has put off, go on now: a person
    asks. Returns whether it did wait so: a wait that its source asked for is kept."""
    row = connection.execute(query("jobs", "hasten"), {"job_id": job_id}).fetchone()
    if row is not None:
        with as_owner(connection):
            dispatch(connection, row)
    return row is not None
