"""Jobs as the API takes and shows them, and the two vocabularies of their status."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, Field

from headrace.api.problems import Strict
from headrace.api.shapes import Cursor, Limit, Time
from headrace.errors import BadInput
from headrace.text import did_you_mean

Status = Literal["PENDING", "RUNNING", "SUCCEEDED", "FAILED", "CANCELLED"]

SEED_WORDS: Final[dict[str, Status]] = {
    "queued": "PENDING",
    "processing": "RUNNING",
    "completed": "SUCCEEDED",
    "failed": "FAILED",
    "cancelled": "CANCELLED",
}
"""Other words for a status, understood and spoken by the listing only (ruling X1)."""

After = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=255)]],
    Field(max_length=1000, description="Ids of the jobs that it waits for."),
]
When = Annotated[
    Literal["succeeded", "ended"],
    Field(description="Whether those must succeed, or only be over, whatever came of them."),
]

_SPOKEN = {status: word for word, status in SEED_WORDS.items()}


class NewJob(Strict):
    """A job to be done."""

    kind: str = Field(max_length=100, description="Such as `rest_sync`, or one of its aliases.")
    connection: str | None = Field(
        None, max_length=4096, description="Its id or name. May be left out where there is one."
    )
    priority: Literal["urgent", "high", "medium", "low"] = "medium"
    payload: dict[str, Any] = Field({}, description="Kept with the job.")
    after: After = []
    when: When = "succeeded"
    deadline_seconds: int | None = Field(
        None, ge=1, le=31_536_000,
        description="It is failed when it has not ended so long after its start, waits included.",
    )  # fmt: skip


class Listing(Strict):
    """Which jobs."""

    status: str | None = Field(
        None, description=f"One of {', '.join(_SPOKEN)}; or {', '.join(SEED_WORDS)}."
    )
    kind: str | None = Field(None, description="Only jobs of this kind; aliases are understood.")
    connection: str | None = Field(
        None, max_length=4096, description="Only jobs of this one; id or name."
    )
    since: Time | None = Field(None, description="Only jobs made then or later.")
    words: Literal["seed"] | None = Field(
        None, description="`seed`: answer with queued, processing, completed and failed."
    )
    limit: Limit = 50
    cursor: Cursor = None


class Job(BaseModel):
    """One durable unit of work."""

    job_id: str
    user_id: str
    kind: str
    connection_id: str | None
    status: str
    priority: str
    attempts: int
    payload: dict[str, Any]
    summary: dict[str, Any] | None = Field(
        description="What it landed, once it has paused or ended."
    )
    last_error: str | None
    hint: str | None
    created_at: Time
    started_at: Time | None
    resume_at: Time | None = Field(description="When it goes on, while it waits.")
    completed_at: Time | None
    waits: bool = Field(description="Whether it is on no queue yet, for other jobs come first.")
    stopped_by: str | None = Field(
        description="The job because of which it was cancelled, where nobody did that."
    )


class Progress(BaseModel):
    """What a job has landed so far; `total` is what its source says there is, if it says; where
    both that and the pace of the last half minute are known, `seconds_left`."""

    fetched: int
    inserted: int
    unchanged: int
    dead_lettered: int
    pages: int
    batches: int
    total: int | None
    share: float | None = Field(description="Of what there is, how much has been fetched: 0 to 1.")
    per_second: float | None = Field(description="Records fetched a second, of late.")
    seconds_left: float | None


class JobDetail(Job):
    """One job, and how far it is."""

    progress: Progress
    stages_pending: dict[str, int] = Field(
        description="How many of its batches each stage has still to work through."
    )
    after: list[str] = Field(description="The jobs that it was to wait for.")
    when: When
    waiting_for: list[str] = Field(
        description="Those that it still waits for; or the one that its connection is busy with."
    )


class Made(Job):
    """The job that was asked for: new, or under way already."""

    success: Literal[True] = True
    message: str


class Steered(Job):
    """A job that was cancelled or taken up again."""

    jobs: list[str] = Field(description="All that the request has done this to, by id.")


class RunnerWanted(Strict):
    """How many of the waiting jobs to answer with."""

    limit: int = Field(10, ge=1, le=200)


class RunnerAnswer(BaseModel):
    """What a sweep found, and what is waiting or running after it."""

    success: Literal[True] = True
    message: str
    jobs: int = Field(description="Jobs that had been forgotten, and are on the queue again.")
    stages: int = Field(description="Batches whose next stage had been forgotten.")
    waiting: list[Job]


def status_of(word: str) -> Status:
    """The status a caller means, in either vocabulary. Raises BadInput with the nearest word."""
    spoken = {word: status for status, word in _SPOKEN.items()}
    known = {**{status.lower(): status for status in _SPOKEN}, **spoken}
    if found := known.get(word.lower()):
        return found
    raise BadInput(f"There is no status {word!r}.", hint=did_you_mean(word.lower(), known))


def in_seed_words(job: Job) -> Job:
    """The same job with its status in the other vocabulary."""
    return job.model_copy(update={"status": _SPOKEN.get(job.status, job.status)})  # type: ignore[call-overload]
