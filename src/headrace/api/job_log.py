"""`/api/jobs/{id}/log` and `/steps`: what was said of a job, and what the engine did of it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from headrace.api.auth import Visitor
from headrace.api.jobs import existing
from headrace.api.shapes import Limit, Time
from headrace.engine import job_steps
from headrace.store import job_lines

router = APIRouter(prefix="/jobs", tags=["jobs"])

AtMost = Annotated[Limit, Query()]


class Line(BaseModel):
    """One line of the log."""

    said_at: Time
    level: str
    event: str
    facts: dict[str, Any]


class Lines(BaseModel):
    """What was said of a job, the newest first."""

    items: list[Line]


class Turn(BaseModel):
    """One turn of a job: when it was put on the queue, taken from it, and over."""

    model_config = ConfigDict(from_attributes=True)

    turn: int
    status: str
    worker: str | None
    asked: Time
    began: Time | None
    ended: Time | None


class Step(BaseModel):
    """One step of a turn."""

    model_config = ConfigDict(from_attributes=True)

    turn: int
    name: str
    began: Time | None
    ended: Time | None
    failed: bool


class Steps(BaseModel):
    """The newest turns of a job, and the newest steps of these; the newest first."""

    turns: list[Turn]
    steps: list[Step] = Field(description="They are kept as long as the engine's history is.")


@router.get("/{job_id}/log")
def get_log(visitor: Visitor, job_id: str, limit: AtMost = 50) -> Lines:
    """What the log said of a job: of each job the newest 200 lines are kept."""
    with visitor.session() as session:
        existing(session, job_id)
        rows = job_lines.of_job(session, job_id, limit)
    return Lines(items=[Line.model_validate(row) for row in rows])


@router.get("/{job_id}/steps")
def get_steps(visitor: Visitor, job_id: str, limit: AtMost = 50) -> Steps:
    """What the engine did of a job, step by step, and when."""
    with visitor.session() as session:
        row = existing(session, job_id)
        turns = job_steps.turns(session, job_id, row["turn"])
        steps = job_steps.steps(session, job_id, row["turn"], limit)
    return Steps(
        turns=[Turn.model_validate(one) for one in turns],
        steps=[Step.model_validate(one) for one in steps],
    )
