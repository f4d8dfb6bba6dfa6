"""One job: how far it is, what hangs on it, what it has landed and when."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from headrace.dashboard.drawing import drawn
from headrace.dashboard.entry import Acting
from headrace.dashboard.page import Look, page
from headrace.dashboard.said import back
from headrace.engine import again, graph, job_steps, run_now, settle
from headrace.engine.progress import progress
from headrace.errors import BadInput, NotFound
from headrace.store import connections, job_lines
from headrace.store import jobs as store
from headrace.store.database import Connection
from headrace.store.jobs import JobRow
from headrace.store.sql import query
from headrace.store.visit import Visit

router = APIRouter(include_in_schema=False)

BATCHES = STEPS = LETTERS = 20
"""Of each that the page shows, the newest first."""
LINES = 50


@page("/jobs/{job_id}", "job.html")
def job(job_id: str) -> Look:
    """One of the caller's jobs."""

    def look(session: Connection) -> dict[str, Any]:
        row = existing(session, job_id)
        source = row["connection_id"] and connections.get(session, row["connection_id"])
        return {
            "job": row,
            "source": source,
            "progress": progress(session, job_id),
            "stages": settle.stages(session, row["tenant_id"], job_id),
            "turns": job_steps.turns(session, job_id, row["turn"]),
            "steps": job_steps.steps(session, job_id, row["turn"], STEPS),
            "lines": job_lines.of_job(session, job_id, LINES),
            "letters": session.execute(
                query("dashboard", "letters_of"), {"job_id": job_id, "limit": LETTERS}
            ).fetchall(),
            "batches": store.batches(session, row["tenant_id"], job_id, BATCHES),
            "picture": drawn(graph.picture(session, job_id), job_id),
        }

    return look


@router.post("/jobs/{job_id}/cancel")
def cancel(visitor: Acting, job_id: str) -> Response:
    """Not another row of it is committed."""
    return _steer(visitor, job_id, again.cancel, "Cancelled. What it has landed stays.")


@router.post("/jobs/{job_id}/retry")
def retry(visitor: Acting, job_id: str) -> Response:
    """It goes on where it stopped."""
    return _steer(visitor, job_id, again.retry, "It goes on where it stopped.")


@router.post("/jobs/{job_id}/run")
def run(visitor: Acting, job_id: str) -> Response:
    """Have it go on now; one that is over is done once more, by a job of its own."""
    with visitor.session() as session:
        existing(session, job_id)
        try:
            made = run_now.run_now(session, job_id)["job_id"]
        except BadInput as error:
            return back(f"/jobs/{job_id}", str(error))
    return back(f"/jobs/{made}", "It is run now.")


@router.post("/jobs/{job_id}/retry-tree")
def retry_tree(visitor: Acting, job_id: str) -> Response:
    """It goes on, and all that hangs on it."""
    return _steer(visitor, job_id, again.retry_tree, "It goes on, and all that hangs on it.")


@router.post("/jobs/{job_id}/cancel-tree")
def cancel_tree(visitor: Acting, job_id: str) -> Response:
    """Cancel it and all that hangs on it."""
    return _steer(visitor, job_id, again.cancel_tree, "Cancelled, with all that hangs on it.")


def existing(session: Connection, job_id: str) -> JobRow:
    """A job that the caller may see. Raises NotFound."""
    row = store.get(session, job_id)
    if row is None:
        raise NotFound(f"There is no job {job_id}.", hint="The list of jobs has those there are.")
    return row


def _steer(
    visitor: Visit, job_id: str, act: Callable[[Connection, str], object], done: str
) -> Response:
    with visitor.session() as session:
        existing(session, job_id)
        try:
            act(session, job_id)
        except BadInput as error:
            done = str(error)
    return back(f"/jobs/{job_id}", done)
