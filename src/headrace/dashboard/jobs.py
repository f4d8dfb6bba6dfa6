"""Jobs: the list, with filters in the address."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from headrace.dashboard.job_filters import STATUSES, Narrowed, kinds
from headrace.dashboard.page import Look, page
from headrace.dashboard.paging import with_asked
from headrace.errors import BadInput
from headrace.store import jobs as store
from headrace.store import listings
from headrace.store.cursor import cut, place
from headrace.store.database import Connection
from headrace.store.sql import query

router = APIRouter(include_in_schema=False)

ROWS = 50
SOURCES = 200
"""Names of sources that the form offers."""

Cursor = Annotated[str | None, Query(max_length=8192)]


@page("/jobs", "jobs.html")
def jobs(request: Request, narrowed: Narrowed, after: Cursor = None) -> Look:
    """The newest jobs, or those after a place. What cannot be read is answered in words, and with
    no job: none is the one that was meant."""

    def look(session: Connection) -> dict[str, Any]:
        meant, wrong = narrowed.read(session)
        before = None
        try:
            before = place(after, listings.JobPlace)
        except BadInput as error:
            wrong.append(str(error))
        rows = []
        if not wrong:
            rows = store.listing(session, **meant, before=before, limit=ROWS + 1)
        shown, further = cut(rows, ROWS, *listings.JobPlace._fields)
        return {
            "jobs": shown,
            "wrong": wrong,
            "landed": store.landed(session, [row["job_id"] for row in shown]),
            "counts": store.counts(session),
            "most_counted": store.COUNTED,
            "narrowed": narrowed,
            "statuses": STATUSES,
            "kinds": kinds(),
            "sources": session.execute(query("dashboard", "names"), {"limit": SOURCES}).fetchall(),
            "older": further and with_asked(request, after=further),
            "newest": with_asked(request, after=None) if after else None,
        }

    return look
