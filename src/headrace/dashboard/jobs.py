"""Jobs: the list, with filters in the address, and what is done to several at once."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import Response

from headrace.dashboard.entry import Acting
from headrace.dashboard.page import Look, page
from headrace.dashboard.paging import with_asked
from headrace.dashboard.said import back
from headrace.engine import again
from headrace.engine.sweep import sweep
from headrace.errors import BadInput
from headrace.store import jobs as store
from headrace.store import listings
from headrace.store.cursor import cut, place
from headrace.store.database import Connection

router = APIRouter(include_in_schema=False)

ROWS = 50
STATUSES = ("PENDING", "RUNNING", "SUCCEEDED", "FAILED", "CANCELLED")

Status = Annotated[Literal["", "PENDING", "RUNNING", "SUCCEEDED", "FAILED", "CANCELLED"], Query()]
Kind = Annotated[str, Query(max_length=100)]
Cursor = Annotated[str | None, Query(max_length=8192)]


@page("/jobs", "jobs.html")
def jobs(request: Request, status: Status = "", kind: Kind = "", after: Cursor = None) -> Look:
    """The newest jobs, or those after a place."""
    before = place(after, listings.JobPlace)

    def look(session: Connection) -> dict[str, Any]:
        rows = store.listing(
            session, status=status or None, kind=kind or None, before=before, limit=ROWS + 1
        )
        shown, further = cut(rows, ROWS, *listings.JobPlace._fields)
        return {
            "jobs": shown,
            "landed": store.landed(session, [row["job_id"] for row in shown]),
            "counts": store.counts(session),
            "status": status,
            "kind": kind,
            "statuses": STATUSES,
            "older": further and with_asked(request, after=further),
            "newest": with_asked(request, after=None) if after else None,
        }

    return look


@router.post("/jobs/process")
def process(visitor: Acting) -> Response:
    """Put on the queue whatever ought to be there (A3.29). Never needed: workers do it all the
    time."""
    revived, stranded = sweep(visitor.database, quiet=0)
    said = f"Put back on the queue: {revived:,} jobs, {stranded:,} stages."
    if not revived + stranded:
        said = "Everything that waits was on its queue already."
    return back("/jobs", said)


@router.post("/jobs/several")
def several(
    visitor: Acting,
    act: Annotated[Literal["cancel", "retry"], Form()],
    job: Annotated[list[str], Form(max_length=ROWS)] = [],  # noqa: B006 - FastAPI copies it
) -> Response:
    """Cancel or retry the jobs that are ticked; those in no state for it are left as they are."""
    done = 0
    for one in job:
        with visitor.session() as session:
            try:
                (again.cancel if act == "cancel" else again.retry)(session, one)
                done += 1
            except BadInput:
                pass
    word = "Cancelled" if act == "cancel" else "Taken up again"
    said = f"{word}: {done} of {len(job)}." if job else "Tick some jobs first."
    return back("/jobs", said)
