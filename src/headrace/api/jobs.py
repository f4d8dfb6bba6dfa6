"""`/api/jobs`: work asked for, looked at and steered. Nothing is run in this process: a job is a
row and a place on the queue, written in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Header, Query

from headrace.api.auth import Visitor
from headrace.api.job_shapes import (
    Job,
    JobDetail,
    Listing,
    Made,
    NewJob,
    Progress,
    RunnerAnswer,
    RunnerWanted,
    Steered,
    in_seed_words,
    status_of,
)
from headrace.api.shapes import Page
from headrace.engine import again, extract, insight, needs, redrive_many, replay, settle
from headrace.engine import jobs as engine
from headrace.engine.progress import progress
from headrace.engine.sweep import put_back
from headrace.errors import BadInput, Conflict, NotFound
from headrace.plugins import provider_of_kind
from headrace.provider import Provider
from headrace.store import jobs, listings
from headrace.store.connections import ConnectionRow
from headrace.store.cursor import cut, place
from headrace.store.database import Connection
from headrace.store.jobs import JobRow
from headrace.store.visit import Visit

router = APIRouter(prefix="/jobs", tags=["jobs"])

IdempotencyKey = Annotated[
    str | None,
    Header(min_length=1, max_length=255, description="The same key again: the same job again."),
]


Tree = Annotated[bool, Query(description="This job and all that hangs on it.")]


@router.post("", status_code=202)
def create_job(visitor: Visitor, wanted: NewJob, idempotency_key: IdempotencyKey = None) -> Made:
    """Put a job on the queue and answer at once. A connection that has one under way answers with
    that one; a job that is to be done `after` others is always a new one."""
    if wanted.kind == extract.KIND and not wanted.after:
        return _extract(visitor)
    provider = provider_of(wanted.kind)
    with visitor.session() as session:
        connection = connection_for(session, provider, wanted.connection)
        row, new = engine.submit(
            session,
            tenant=connection["tenant_id"],
            user=connection["user_id"],
            kind=provider.kind,
            connection_id=connection["connection_id"],
            payload=wanted.payload,
            priority=wanted.priority,
            deadline_seconds=wanted.deadline_seconds,
            idempotency_key=idempotency_key,
            after=wanted.after,
            regardless=wanted.when == "ended",
        )
        if not new and idempotency_key is not None:
            _check_same(session, row, connection, wanted, provider, idempotency_key)
    job = Job.model_validate(row)
    message = "Job created" if new else "This job had been created before"
    return Made(**job.model_dump(), message=message)


def _extract(visitor: Visit) -> Made:
    """The one kind without a source that needs nothing said; it is one job for each user."""
    with visitor.session() as session:
        row = extract.submit(session, visitor.caller.tenant, visitor.caller.user)
    return Made(**Job.model_validate(row).model_dump(), message="Job created")


@router.get("")
def list_jobs(visitor: Visitor, asked: Annotated[Listing, Query()]) -> Page[Job]:
    """Jobs, newest first."""
    status = None if asked.status is None else status_of(asked.status)
    kind = asked.kind
    if kind is not None and kind not in _ELSEWHERE:
        kind = provider_of(kind).kind
    with visitor.session() as session:
        rows = jobs.listing(
            session,
            status=status,
            kind=kind,
            source=None if asked.connection is None else _id_of(session, asked.connection),
            since=asked.since,
            before=place(asked.cursor, listings.JobPlace),
            limit=asked.limit + 1,
        )
    shown, after_these = cut(rows, asked.limit, "created_at", "job_id")
    items = [Job.model_validate(row) for row in shown]
    if asked.words == "seed":
        items = [in_seed_words(job) for job in items]
    return Page(items=items, next=after_these)


def _id_of(session: Connection, named: str) -> str:
    """The connection that a list is narrowed to. Raises NotFound, or BadInput of several."""
    rows = listings.connections_named(session, named, "")
    if not rows:
        raise NotFound(
            f"There is no connection {named!r}.", hint="GET /api/connections lists them."
        )
    if len(rows) > 1 and rows[0]["connection_id"] != named:
        ids = ", ".join(row["connection_id"] for row in rows[:5])
        raise BadInput("More than one connection fits.", hint=f"Name one by its id: {ids}.")
    return str(rows[0]["connection_id"])


@router.post("/runner")
def run_queue(visitor: Visitor, wanted: RunnerWanted | None = None) -> RunnerAnswer:
    """Put on the queue what ought to be there, of the ten thousand oldest unfinished jobs. Never
    needed: the workers do it all the time, with all jobs. Answers with how many of the caller's
    that were, and with the oldest that wait or run."""
    found = put_back(visitor.database, quiet=0)
    with visitor.session() as session:
        revived, stranded = found.seen_by(session)
        rows = listings.waiting_jobs(session, (wanted or RunnerWanted()).limit)
    waiting = [Job.model_validate(row) for row in rows]
    message = "Processing..." if waiting else "Nothing is waiting"
    return RunnerAnswer(message=message, jobs=revived, stages=stranded, waiting=waiting)


@router.get("/{job_id}")
def get_job(visitor: Visitor, job_id: str) -> JobDetail:
    """One job, with what it has landed up to this moment."""
    with visitor.session() as session:
        row = existing(session, job_id)
        now = progress(session, job_id)
        steps = settle.stages(session, row["tenant_id"], job_id)
        needed = needs.needs_of(session, job_id)
        waiting_for = needs.waiting_for(session, job_id)
    landed = Progress.model_validate(now, from_attributes=True)
    left = {one["name"]: one["of"] - one["batches"] for one in steps}
    pending = {name: batches for name, batches in left.items() if batches}
    return JobDetail(
        **row,
        progress=landed,
        stages_pending=pending,
        after=[one["needs_job_id"] for one in needed],
        when="ended" if any(one["regardless"] for one in needed) else "succeeded",
        waiting_for=waiting_for,
    )


@router.post("/{job_id}/cancel")
def cancel_job(visitor: Visitor, job_id: str, tree: Tree = False) -> Steered:
    """Cancel a job that waits or runs: not another row of it is committed. Jobs that wait for it to
    succeed are cancelled with it, until it is retried."""
    return _steer(visitor, job_id, again.cancel_tree if tree else again.cancel)


@router.post("/{job_id}/retry", status_code=202)
def retry_job(visitor: Visitor, job_id: str, tree: Tree = False) -> Steered:
    """Take a failed or cancelled job up again where it stopped, and what was cancelled because of
    it."""
    return _steer(visitor, job_id, again.retry_tree if tree else again.retry)


def _steer(
    visitor: Visit, job_id: str, act: Callable[[Connection, str], list[str] | JobRow]
) -> Steered:
    with visitor.session() as session:
        existing(session, job_id)
        try:
            done = act(session, job_id)
        except BadInput as error:
            raise Conflict(error.message, hint=error.hint) from None
        row = existing(session, job_id)
    return Steered(**row, jobs=done if isinstance(done, list) else [job_id])


def existing(session: Connection, job_id: str) -> JobRow:
    """A job that the caller may see. Raises NotFound."""
    row = jobs.get(session, job_id)
    if row is None:
        raise NotFound(f"There is no job {job_id}.", hint="GET /api/jobs lists them.")
    return row


_ELSEWHERE = {
    replay.KIND: ("A replay is", "/api/replay"),
    insight.KIND: ("Insights are", "/api/insights"),
    redrive_many.KIND: ("A retry of dead letters is", "/api/dead-letters/retry"),
    extract.KIND: ("Extracting contacts is", "/api/contacts/extract"),
}
"""Kinds of jobs that have routes of their own."""


def provider_of(kind: str) -> type[Provider]:
    """Who does jobs of this kind, or of this alias. Raises BadInput with the nearest kind."""
    if kind in _ELSEWHERE:
        what, where = _ELSEWHERE[kind]
        raise BadInput(f"{what} asked for elsewhere.", hint=f"POST {where} makes the job.")
    return provider_of_kind(kind)


def connection_for(
    session: Connection, provider: type[Provider], named: str | None
) -> ConnectionRow:
    """The connection a caller means. Raises NotFound or BadInput where that is not one."""
    rows = listings.connections_named(session, named, provider.name)
    if named is not None and not rows:
        raise NotFound(
            f"There is no connection {named!r}.", hint="GET /api/connections lists them."
        )
    fitting = [row for row in rows if row["provider"] == provider.name]
    if not fitting:
        raise BadInput(
            f"A job of kind {provider.kind} needs a connection of the provider {provider.name}.",
            hint=f"{named!r} is one of {rows[0]['provider']}." if rows else "There is none yet.",
        )
    if len(fitting) > 1 and fitting[0]["connection_id"] != named:
        ids = ", ".join(f"{row['name']}: {row['connection_id']}" for row in fitting[:5])
        raise BadInput("More than one connection fits.", hint=f"Name one by its id ({ids}).")
    return fitting[0]


def _check_same(
    session: Connection,
    row: JobRow,
    connection: ConnectionRow,
    wanted: NewJob,
    provider: type[Provider],
    idempotency_key: str,
) -> None:
    """A key used again for something else is a mistake that must not pass in silence."""
    needed = needs.needs_of(session, row["job_id"])
    asked = (
        provider.kind,
        connection["connection_id"],
        wanted.priority,
        wanted.payload,
        dict.fromkeys(wanted.after, wanted.when == "ended"),
    )
    first = (
        row["kind"],
        row["connection_id"],
        row["priority"],
        row["payload"],
        {one["needs_job_id"]: one["regardless"] for one in needed},
    )
    if row["idempotency_key"] == idempotency_key and asked != first:
        raise Conflict(
            f"This Idempotency-Key made job {row['job_id']}, which is another one.",
            hint="Use a new key for a new job, and the same body with the same key.",
        )
