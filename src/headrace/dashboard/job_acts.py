"""What is done to several jobs at once; and the button that nothing needs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form
from fastapi.responses import Response

from headrace.dashboard.entry import Acting
from headrace.dashboard.job_filters import Filters
from headrace.dashboard.jobs import ROWS
from headrace.dashboard.said import back
from headrace.engine import again, run_now
from headrace.engine.sweep import put_back
from headrace.errors import BadInput
from headrace.store import jobs as store
from headrace.store.database import Connection
from headrace.store.visit import Visit

router = APIRouter(include_in_schema=False)

AT_ONCE = 1000
"""Jobs that one press of a button is for."""

Act = Literal["cancel", "retry", "run"]

_ACTS: dict[Act, tuple[Callable[[Connection, str], Any], str, tuple[str, ...]]] = {
    "cancel": (again.cancel, "Cancelled", ("PENDING", "RUNNING")),
    "retry": (again.retry, "Taken up again", ("FAILED", "CANCELLED")),
    "run": (run_now.run_now, "Run now", ("PENDING", "SUCCEEDED", "FAILED", "CANCELLED")),
}
"""What is done to each, the word for it, and the statuses in which it may be."""

Word = Annotated[str, Form(max_length=8192)]


@router.post("/jobs/process")
def process(visitor: Acting) -> Response:
    """Put on the queue whatever ought to be there (A3.29), and say how many of the caller's jobs
    that were, and how many wait and run now (A3.30). Never needed: workers do it all the time."""
    found = put_back(visitor.database, quiet=0)
    with visitor.session() as session:
        revived, stages = found.seen_by(session)
        now = store.counts(session)
    said = "Everything that waits was on its queue already."
    if revived + stages:
        said = f"Put back on the queue: {_many(revived, 'job')}, {_many(stages, 'stage')}."
    waiting, running = now["PENDING"], now["RUNNING"]
    if waiting + running:
        said = f"Processing... {said} {running:,} run and {waiting:,} wait now."
    else:
        said = f"{said} Nothing waits, nothing runs."
    return back("/jobs", said)


@router.post("/jobs/several")
def several(
    visitor: Acting,
    act: Annotated[Act, Form()],
    job: Annotated[list[str], Form(max_length=ROWS)] = [],  # noqa: B006 - FastAPI copies it
    scope: Annotated[Literal["ticked", "all"], Form()] = "ticked",
    status: Word = "",
    kind: Word = "",
    source: Word = "",
    since: Word = "",
) -> Response:
    """Do it to the jobs that are ticked, or to all that the list is narrowed to; those in no state
    for it are left as they are."""
    narrowed = Filters(status, kind, source, since)
    here = f"/jobs{narrowed.query}"
    do, word, fitting = _ACTS[act]
    chosen, more = job, False
    if scope == "all":
        with visitor.session() as session:
            meant, wrong = narrowed.read(session)
            if wrong:
                return back(here, wrong[0])
            chosen, more = _all(session, meant, fitting)
    if not chosen:
        return back(here, "There is no job for that." if scope == "all" else "Tick some first.")
    done, why = _each(visitor, chosen, do)
    said = f"{word}: {done:,} of {_many(len(chosen), 'job')}."
    if why and done < len(chosen):
        said += f" {why}"
    if more:
        said += " There are more: once more, for the next."
    return back(here, said)


def _all(
    session: Connection, meant: dict[str, Any], fitting: tuple[str, ...]
) -> tuple[list[str], bool]:
    """The newest jobs of a narrowed list that are in a state for it, and whether there are more."""
    named = meant.pop("status")
    found: list[str] = []
    for status in fitting if named is None else {named} & set(fitting):
        rows = store.listing(session, status=status, **meant, limit=AT_ONCE + 1)
        found += [row["job_id"] for row in rows]
    return found[:AT_ONCE], len(found) > AT_ONCE


def _each(
    visitor: Visit, job_ids: list[str], do: Callable[[Connection, str], Any]
) -> tuple[int, str]:
    """How many it was done to; of the others, why not the last of them."""
    done, why = 0, ""
    for one in job_ids:
        with visitor.session() as session:
            try:
                do(session, one)
                done += 1
            except BadInput as error:
                why = str(error)
    return done, why


def _many(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"
