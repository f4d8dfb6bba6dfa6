"""`/ingestion/jobs`: documents in, searchable chunks out; seed 004's API to the letter (A4.3-A4.6).

Nothing is read here: a job is a row and a place on the queue, so the answer never waits for work.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Query
from pydantic import BaseModel, ConfigDict, Field

from headrace.api.acting import session_for
from headrace.api.auth import Visitor
from headrace.api.job_shapes import Status
from headrace.api.problems import Strict
from headrace.api.shapes import Cursor, Limit, Moment, Page
from headrace.engine import intake
from headrace.engine import jobs as engine
from headrace.engine.notify import join, result_summary, waiters
from headrace.errors import BadInput, Conflict, NotFound, Retry
from headrace.files.config import DocumentsConfig
from headrace.providers.documents import Documents
from headrace.store import jobs, listings
from headrace.store.cursor import cut, place
from headrace.store.database import Connection, as_owner
from headrace.store.jobs import JobRow
from headrace.store.visit import Visit

router = APIRouter(prefix="/ingestion/jobs", tags=["ingestion"])

KIND = Documents.kind

_NAMED = "metadata.tenant_id"
_BUSY_SECONDS = 5.0
"""When to ask again for an input that is being made something else of."""


class Metadata(BaseModel):
    """Who asks, and who waits. Fields of the caller's own are kept with the job."""

    model_config = ConfigDict(extra="allow")

    tenant_id: str | None = Field(None, min_length=1, max_length=255, description="Whose job.")
    execution_id: str | None = Field(None, max_length=255)
    step_id: str | None = Field(None, max_length=255)
    callback_topic: str | None = Field(
        None, min_length=1, max_length=1000, description="Where the end of the job is told."
    )
    dbos_workflow_id: str | None = Field(
        None, min_length=1, max_length=1000, description="The workflow that is told; without it"
        " `execution_id` is taken for one, where there is a topic.",
    )  # fmt: skip


class NewIngestion(Strict):
    """Documents to be made searchable."""

    config: DocumentsConfig
    metadata: Metadata = Metadata()
    priority: Literal["urgent", "high", "medium", "low"] = "medium"


class Created(BaseModel):
    """The job that was made."""

    job_id: str
    status: Status
    created_at: Moment


class Ingestion(Created):
    """A job. Fields that say nothing yet are left out."""

    completed_at: Moment | None = None
    result_summary: dict[str, int] | None = Field(
        None, description="What it did: files, chunks and embeddings; what went wrong, if anything."
    )
    error_message: str | None = None


class Listing(Strict):
    """Which jobs."""

    status: Status | None = None
    tenant_id: str | None = Field(None, max_length=255)
    limit: Limit = 50
    cursor: Cursor = None


@router.post("", status_code=202)
def create_ingestion(
    visitor: Visitor,
    wanted: NewIngestion,
    idempotency_key: Annotated[str | None, Header(min_length=1, max_length=255)] = None,
) -> Created:
    """Put a job on the queue and answer at once. The same Idempotency-Key: the same job."""
    metadata = wanted.metadata.model_dump(exclude_none=True)
    if "callback_topic" in metadata and "execution_id" in metadata:
        metadata.setdefault("dbos_workflow_id", metadata["execution_id"])
    settings = visitor.settings
    intake.check_documents(wanted.config, settings)
    documents = intake.documents(wanted.config)
    payload = {"config": documents.config, "metadata": metadata}
    with session_for(visitor, wanted.metadata.tenant_id, _NAMED) as (session, tenant):
        with as_owner(session):
            connection = intake.connect(
                session, tenant, visitor.caller.user, documents, settings, trusted=False
            )
        # What is refused is refused in here: what the request did to the connection is undone.
        row = _submit(
            session,
            tenant=tenant,
            user=visitor.caller.user,
            kind=KIND,
            connection_id=connection["connection_id"],
            payload=payload,
            priority=wanted.priority,
            idempotency_key=idempotency_key,
        )
    return Created(**row)


def _submit(session: Connection, **wanted: Any) -> JobRow:
    """The job that was asked for: a new one, the one of its key, or the one that its input has
    under way, which then tells this caller as well. Raises Conflict where the key made another,
    Retry where the input is being made something else of."""
    key, payload = wanted["idempotency_key"], wanted["payload"]
    while True:
        row, new = engine.submit(session, **wanted)
        if new:
            return row
        asked = row["payload"]
        if key is not None and row["idempotency_key"] == key:
            for name in ("config", "metadata"):
                if asked.get(name) != payload[name]:
                    raise Conflict(
                        f"This Idempotency-Key made job {row['job_id']}, of another {name}.",
                        hint="Use a new key for a new job, and the same body with the same key.",
                    )
            return row
        if asked.get("config") != payload["config"]:
            raise Retry(
                f"Job {row['job_id']} is at work on this input, by another config.",
                after=_BUSY_SECONDS,
                hint="Ask again when it is over, or cancel it.",
            )
        if not waiters({"payload": payload}):
            return row
        with as_owner(session):
            if join(session, row["job_id"], payload["metadata"]):
                return row
        # It ended in this instant: there is room for a new one.


@router.get("", response_model_exclude_none=True)
def list_ingestions(visitor: Visitor, asked: Annotated[Listing, Query()]) -> Page[Ingestion]:
    """Ingestion jobs, newest first."""
    with session_for(visitor, asked.tenant_id) as (session, _):
        rows = jobs.listing(
            session,
            status=asked.status,
            kind=KIND,
            before=place(asked.cursor, listings.JobPlace),
            limit=asked.limit + 1,
        )
    shown, after_these = cut(rows, asked.limit, "created_at", "job_id")
    return Page(items=[_shown(row) for row in shown], next=after_these)


@router.get("/{job_id}", response_model_exclude_none=True)
def get_ingestion(visitor: Visitor, job_id: str) -> Ingestion:
    """How a job is, and what came of it."""
    with _found(visitor, job_id) as (_, row):
        return _shown(row)


@router.post("/{job_id}/cancel", response_model_exclude_none=True)
def cancel_ingestion(visitor: Visitor, job_id: str) -> Ingestion:
    """Cancel a job that waits or runs: not another file of it is landed."""
    with _found(visitor, job_id) as (session, _):
        try:
            return _shown(engine.cancel(session, job_id))
        except BadInput as error:
            raise Conflict(error.message, hint=error.hint) from None


@router.post("/{job_id}/retry", status_code=202, response_model_exclude_none=True)
def retry_ingestion(visitor: Visitor, job_id: str) -> Ingestion:
    """Take a failed or cancelled job up again where it stopped."""
    with _found(visitor, job_id) as (session, _):
        try:
            return _shown(engine.retry(session, job_id))
        except BadInput as error:
            raise Conflict(error.message, hint=error.hint) from None


def _shown(row: JobRow) -> Ingestion:
    said: dict[str, Any] = {
        name: row[name] for name in ("job_id", "status", "created_at", "completed_at")
    }
    if row["status"] == "SUCCEEDED":
        said["result_summary"] = result_summary(row)
    if row["last_error"] and row["status"] != "SUCCEEDED":
        said["error_message"] = f"{row['last_error']} {row['hint'] or ''}".strip()
    return Ingestion(**said)


@contextmanager
def _found(visitor: Visit, job_id: str) -> Iterator[tuple[Connection, JobRow]]:
    """The job, in a session that may steer it. Raises NotFound."""
    tenant = None
    if visitor.acts_for_all:
        with visitor.database.connection() as owner:
            row = jobs.get(owner, job_id)
            tenant = row["tenant_id"] if row else None
    with session_for(visitor, tenant) as (session, _):
        row = jobs.get(session, job_id)
        if row is None or row["kind"] != KIND:
            raise NotFound(
                f"There is no ingestion job {job_id}.", hint="GET /ingestion/jobs lists them."
            )
        yield session, row
