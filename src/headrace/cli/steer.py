"""`headrace jobs`: look at work and steer it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import typer
from rich.markup import escape

from headrace.cli.graph import graph
from headrace.cli.house import TENANT, USER, reading
from headrace.cli.job_log import log, steps
from headrace.cli.options import Json, Limit
from headrace.cli.show import Columns, answer_json, answer_rows, out
from headrace.engine import again
from headrace.engine.needs import needs_of
from headrace.engine.progress import progress, told
from headrace.store import jobs as store_jobs

jobs = typer.Typer(help="Work that is waiting, running or over.", no_args_is_help=True)
jobs.command("graph")(graph)
jobs.command("log")(log)
jobs.command("steps")(steps)

Status = Literal["PENDING", "RUNNING", "SUCCEEDED", "FAILED", "CANCELLED"]
JobId = Annotated[str, typer.Argument(help="The job's id.")]
Tree = Annotated[bool, typer.Option("--tree", help="This job and all that hangs on it.")]


@jobs.command("list")
def list_jobs(
    status: Annotated[
        Status | None, typer.Option(case_sensitive=False, help="Only jobs in this status.")
    ] = None,
    limit: Limit = 20,
    json: Json = False,
) -> None:
    """The newest jobs."""
    with reading() as database, database.people(TENANT, USER) as session:
        rows = store_jobs.listing(session, status=status, limit=limit)
    columns: Columns = {
        "job": "job_id",
        "connection": lambda row: row["connection"] or row["kind"],
        "status": "status",
        "created": "created_at",
        "landed": lambda row: (row["summary"] or {}).get("inserted"),
        "error": "last_error",
    }
    answer_rows(f"{status.lower()} jobs" if status else "jobs", rows, columns, json=json)


_BOOKMARKS = ("at", "until", "left", "waits")
"""What of a job's summary only the job itself goes by."""


@jobs.command("show")
def show_job(job_id: JobId, json: Json = False) -> None:
    """One job, with what it has landed so far."""
    with reading() as database, database.people(TENANT, USER) as session:
        found = told(progress(session, job_id))
        row = store_jobs.get(session, job_id)
        found["after"] = [one["needs_job_id"] for one in needs_of(session, job_id)]
    if row is not None and row["connection_id"] is None:
        # It lands nothing: how far it is stands in its summary.
        summary: dict[str, Any] = row["summary"] or {}
        found |= {name: value for name, value in summary.items() if name not in _BOOKMARKS}
    if json:
        answer_json(found)
        return
    for name, value in found.items():
        if value not in (None, []):
            out.print(f"{name:14} {escape(_line(name, value))}")


def _line(name: str, value: Any) -> str:
    if name == "share":
        return f"{int(value * 100)} %"
    if name == "seconds_left":
        return f"{value:,.0f}"
    ids = isinstance(value, list) and all(isinstance(one, str) for one in value)
    return ", ".join(value) if ids else str(value)


@jobs.command("cancel")
def cancel_job(job_id: JobId, tree: Tree = False, json: Json = False) -> None:
    """Cancel a job: not another row of it is committed. Jobs that wait for it to succeed are
    cancelled with it, until it is retried."""
    with reading() as database, database.people(TENANT, USER) as session:
        progress(session, job_id)  # which says so when there is none
        done = again.cancel_tree(session, job_id) if tree else [job_id]
        row = store_jobs.get(session, job_id) if tree else again.cancel(session, job_id)
    if json:
        answer_json({**(row or {}), "jobs": done})
    elif tree:
        out.print(f"Cancelled {_jobs(done)}; what they have landed stays.")
    else:
        out.print(f"Cancelled {job_id}; what it has landed stays.")


@jobs.command("retry")
def retry_job(job_id: JobId, tree: Tree = False, json: Json = False) -> None:
    """Take a failed or cancelled job up again, and what was cancelled because of it; `headrace up`
    or `sync` works on it."""
    with reading() as database, database.people(TENANT, USER) as session:
        progress(session, job_id)
        done = again.retry_tree(session, job_id) if tree else [job_id]
        row = store_jobs.get(session, job_id) if tree else again.retry(session, job_id)
    if json:
        answer_json({**(row or {}), "jobs": done})
        return
    what = f"{_jobs(done)} are" if len(done) > 1 else f"{done[0]} is"
    out.print(f"{what} to go on; `headrace up` or `headrace sync` works on it.")


def _jobs(done: list[str]) -> str:
    return f"{len(done):,} jobs" if len(done) > 1 else done[0]
