"""The workflows of what comes after a job: its waiters told, its rows and points tended. And one
that does nothing, to see that work gets through."""

from __future__ import annotations

import psycopg
from dbos import DBOS

from headrace import telemetry
from headrace.crashpoints import mark
from headrace.engine import notify, points, state, vectors
from headrace.engine.stage_workflow import WAITS
from headrace.engine.steps import durable
from headrace.errors import HeadraceError, Retry
from headrace.logs.about import about


@DBOS.workflow(name="headrace.notify")
def run_notify(job_id: str, turn: int, attempt: int) -> bool:
    """Tell a job's waiter that it is over. That it cannot be told never changes the job."""
    return _notify_step(job_id, turn, attempt)


@durable(name="notify")
def _notify_step(job_id: str, turn: int, attempt: int) -> bool:
    now = state.current()
    mark("before-notify")
    try:
        with about(jobId=job_id, turn=turn):
            notify.send(now.database, now.settings, job_id, turn)
    except (HeadraceError, psycopg.Error) as error:
        if attempt >= notify.ATTEMPTS:
            telemetry.bug(f"notification of job {job_id}", error)
            return False
        with now.database.transaction() as connection:
            notify.dispatch(connection, job_id, turn, attempt + 1)
        return False
    mark("after-notify")
    return True


@DBOS.workflow(name="headrace.probe")
def run_probe() -> bool:
    """What `headrace check --live` sends through each queue: see `engine.probing`."""
    return True


@DBOS.workflow(name="headrace.tend")
def run_tend() -> int:
    """After a job: what its rows want that no transaction can do."""
    return _tend_step()


@durable(name="tend")
def _tend_step() -> int:
    return vectors.tend(state.current().database)


@DBOS.workflow(name="headrace.points")
def run_points(connection_id: str, after: str, attempt: int) -> bool:
    """After a job: what its connection's indexes outside of PostgreSQL have too much or lack."""
    return _points_step(connection_id, after, attempt)


@durable(name="points")
def _points_step(connection_id: str, after: str, attempt: int) -> bool:
    now = state.current()
    try:
        points.tend(now.database, now.settings, now.vault, connection_id)
    except Retry as wait:
        if attempt >= WAITS:
            telemetry.points_left(connection_id, str(wait))
            return False
        with now.database.transaction() as connection:
            points.dispatch(connection, connection_id, after, attempt + 1)
        return False
    except HeadraceError as error:
        telemetry.points_left(connection_id, str(error))
        return False
    return True
