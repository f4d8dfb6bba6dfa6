"""`/api/replay`: everything below the raw events made again of them, without asking a source."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import ConfigDict, Field

from headrace.api.auth import Visitor
from headrace.api.job_shapes import Job
from headrace.api.problems import Strict
from headrace.engine import replay as engine
from headrace.errors import NotFound
from headrace.store import jobs

router = APIRouter(prefix="/replay", tags=["replay"])


class Asked(Strict):
    """What is to be replayed; what is left out is not narrowed."""

    model_config = ConfigDict(populate_by_name=True)

    provider: str | None = Field(
        None, max_length=1000, description="Such as `gmail,google_calendar`."
    )
    connection: str | None = Field(None, max_length=4096, description="Its id or name.")
    days: int | None = Field(
        None, ge=1, le=engine.MOST_DAYS, description="Only batches with records of these days."
    )
    batch_size: int = Field(
        20,
        ge=1,
        le=engine.MOST_BATCHES,
        alias="batchSize",
        description="Batches between two notes of how far it is.",
    )
    stage: str | None = Field(
        None, max_length=100, description="Only this stage, and what hangs on it."
    )
    dry_run: bool = Field(
        False, alias="dryRun", description="Only say what would change: nothing is written."
    )


class Replay(Job):
    """The job of a replay, and how far it is; `findings` are those of a dry run."""

    of: int | None = Field(None, description="Batches there are to work through.")
    batches: int = 0
    records: int = 0
    queued: int = Field(0, description="Batches on which a stage failed: the queue tries again.")
    handed: int = Field(0, description="Batches that wait on the queue for a stage that is apart.")
    stages: dict[str, Any] = {}
    findings: dict[str, Any] | None = None


@router.post("", status_code=202)
def start_replay(visitor: Visitor, asked: Annotated[Asked, Query()]) -> Replay:
    """Replay what has been landed. The same asked for while it is under way is that job."""
    named = [name.strip() for name in (asked.provider or "").split(",") if name.strip()]
    wanted = engine.Wanted(
        provider=named,
        connection=asked.connection,
        days=asked.days,
        batch_size=asked.batch_size,
        stage=asked.stage,
        dry_run=asked.dry_run,
    )
    caller = visitor.caller
    with visitor.session() as session:
        row = engine.submit(session, caller.tenant, caller.user, wanted, of_user=caller.key_user)
    return _shown(row)


@router.get("/{job_id}")
def get_replay(visitor: Visitor, job_id: str) -> Replay:
    """How far a replay is. Cancel and retry it as any job."""
    with visitor.session() as session:
        row = jobs.get(session, job_id)
    if row is None or row["kind"] != engine.KIND:
        raise NotFound(
            f"There is no replay {job_id}.", hint="GET /api/jobs?kind=replay lists them."
        )
    return _shown(row)


def _shown(row: jobs.JobRow) -> Replay:
    standing = row["summary"] or {}
    far = {name: standing[name] for name in Replay.model_fields if name in standing}
    return Replay.model_validate({**row, **far})
