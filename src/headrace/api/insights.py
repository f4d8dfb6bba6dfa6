"""`/api/insights`: what is worth knowing, asked for and read. Making them is a job."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from headrace import insight
from headrace.api.auth import Visitor
from headrace.api.job_shapes import After, Job, Made, When
from headrace.api.problems import Strict
from headrace.api.shapes import Cursor, Limit, Page, Time
from headrace.engine import insight as engine
from headrace.errors import NotFound
from headrace.insight import Priority
from headrace.plugins import insight_kind
from headrace.store import insights as store
from headrace.store.cursor import cut, place

router = APIRouter(prefix="/insights", tags=["insights"])


class Wanted(Strict):
    """What is to be looked into."""

    kind: str = Field(max_length=100, description="Such as `thread_summary`.")
    subject: str | None = Field(
        None,
        max_length=1000,
        description="What about: contact:UUID, thread:ID, week:2026-W47 or pair:UUID:UUID. Without"
        " one: the newest of them.",
    )
    after: After = []
    when: When = "succeeded"


class Listing(Strict):
    """Which insights."""

    kind: str | None = Field(None, max_length=100, description="Only of this kind.")
    subject: str | None = Field(None, max_length=1000, description="Only about this.")
    priority: list[Priority] | None = Field(
        None, description="Only of this priority; may be given more than once."
    )
    since: Time | None = Field(None, description="Only those made then or later.")
    job: str | None = Field(None, max_length=100, description="Only those that this job has made.")
    limit: Limit = 50
    cursor: Cursor = None


class Quote(BaseModel):
    """Words that an insight stands on, and where they stand: word for word in this version."""

    stream_id: int
    source_id: str
    version: int
    quote: str
    occurred_at: Time | None


class Insight(BaseModel):
    """Something worth knowing. Its actions are sentences: nothing carries them out."""

    insight_id: int
    user_id: str
    kind: str
    subject: str
    title: str
    summary: str
    confidence: float = Field(description="0 to 1.")
    priority: Priority
    actions: list[str]
    sources: list[Quote]
    made_by: str = Field(description="`rules 1`, or a model.")
    disclosure: str = Field(description="The same as a sentence to show to people.")
    note: str | None = Field(description="Why rules made it although a model is set up.")
    outdated: bool = Field(description="Whether a source has changed since, or is gone.")
    job_id: str | None
    created_at: Time


@router.post("", status_code=202)
def make_insights(visitor: Visitor, wanted: Wanted) -> Made:
    """Ask for insights of a kind; a job makes them, for the user of the key."""
    wish = engine.Wish(wanted.kind, wanted.subject)
    owner = (visitor.caller.tenant, visitor.caller.user)
    with visitor.session() as session:
        regardless = wanted.when == "ended"
        row, _ = engine.submit(session, *owner, [wish], after=wanted.after, regardless=regardless)
        if not engine.there(session, *owner, wish):
            raise NotFound(
                f"There is nothing known of {wanted.subject}.",
                hint="The contacts and interactions that there are name their ids.",
            )
    return Made(**Job.model_validate(row).model_dump(), message="Job created")


@router.get("")
def list_insights(visitor: Visitor, asked: Annotated[Listing, Query()]) -> Page[Insight]:
    """Insights, newest first."""
    if asked.kind is not None:
        insight_kind(asked.kind)
    before = place(asked.cursor, tuple[int])
    with visitor.session() as session:
        rows = store.listing(
            session,
            kind=asked.kind,
            subject=asked.subject,
            priorities=list(asked.priority) if asked.priority else None,
            since=asked.since,
            job_id=asked.job,
            before=before[0] if before else None,
            limit=asked.limit + 1,
        )
    shown, after_these = cut(rows, asked.limit, "insight_id")
    return Page(items=[_shown(row) for row in shown], next=after_these)


@router.get("/{insight_id}")
def get_insight(visitor: Visitor, insight_id: int) -> Insight:
    """One insight."""
    with visitor.session() as session:
        row = store.one(session, insight_id)
    if row is None:
        raise NotFound(f"There is no insight {insight_id}.", hint="GET /api/insights lists them.")
    return _shown(row)


def _shown(row: dict[str, Any]) -> Insight:
    return Insight(**row, disclosure=insight.made_by(row["made_by"]))
