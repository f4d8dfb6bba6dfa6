"""`/api/schedules`: what is done again and again, and when."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from headrace.api.auth import Visitor
from headrace.api.job_shapes import Job
from headrace.api.problems import Strict
from headrace.api.shapes import Cursor, Limit, Page, Time
from headrace.engine import arrange, schedulable
from headrace.errors import BadInput, Conflict, NotFound
from headrace.store import listings, schedules
from headrace.store.connections import ConnectionRow
from headrace.store.cursor import cut, place
from headrace.store.database import Connection
from headrace.store.schedules import SYNC, ScheduleRow

router = APIRouter(prefix="/schedules", tags=["schedules"])

Missed = Literal["once", "all", "skip"]

_Spec = Annotated[
    str,
    Field(
        max_length=200,
        description='When: "every 15m", "learned 15m to 1h", or a cron such as "0 7 * * mon".',
        examples=["every 15m"],
    ),
]
_Zone = Annotated[
    str, Field(max_length=100, description="Of a cron: the time zone whose clock it goes by.")
]
_Jitter = Annotated[
    int | None,
    Field(
        ge=0,
        le=86_400,
        description="Seconds over which runs are spread; always the same for one schedule."
        " null: over the whole of a fixed span, over a minute for the syncs of a cron.",
    ),
]
_Missed = Annotated[
    Missed,
    Field(description="What becomes of runs that were due while no worker ran. `all`: at most 24."),
]
_Payload = Annotated[dict[str, Any], Field(description="What each job is given.")]
_Name = Annotated[str | None, Field(max_length=255)]


class NewSchedule(Strict):
    """Something that is to be done again and again."""

    kind: str = Field(
        SYNC,
        max_length=100,
        description="`sync`, a provider's kind of sync, `insight` or a kind of insight such as"
        " `weekly_digest`, `replay`, `extract_contacts`.",
    )
    connection: str | None = Field(
        None, max_length=4096, description="Id or name. A sync without one is of every connection."
    )
    payload: _Payload = {}
    spec: _Spec
    timezone: _Zone = "UTC"
    jitter: _Jitter = None
    missed: _Missed = "once"
    name: _Name = None
    paused: bool = False


class Changes(Strict):
    """What is to be different. What is left out stays."""

    payload: _Payload = {}
    spec: _Spec = ""
    timezone: _Zone = ""
    jitter: _Jitter = None
    missed: _Missed = "once"
    name: _Name = None
    paused: bool = False


class Listing(Strict):
    """Which schedules."""

    named: str | None = Field(
        None, max_length=4096, description="Only those of this id, name or connection's name."
    )
    limit: Limit = 50
    cursor: Cursor = None


class Schedule(BaseModel):
    """Something that is done again and again."""

    schedule_id: str
    user_id: str
    name: str | None
    kind: str
    connection_id: str | None
    connection: str | None = Field(description="The connection's name.")
    payload: dict[str, Any]
    spec: str
    timezone: str
    description: str = Field(description="The same in words.")
    jitter: int | None
    missed: Missed
    paused: bool
    next_runs: list[Time] = Field(description="The next three; none while it is paused.")
    every_seconds: int | None = Field(description="How far apart they are now; null: by a cron.")
    why: str | None = Field(description="Why a learned cadence is what it is now.")
    last_at: Time | None
    last_job_id: str | None
    left_out: int = Field(
        description="Missed runs that the last making-up left out; 1,000: that many or more."
    )
    last_error: str | None
    hint: str | None
    created_at: Time


class Ran(BaseModel):
    """What was put on the queue."""

    message: str
    jobs: list[Job] = Field(description="The first hundred.")
    count: int


@router.post("", status_code=201)
def create_schedule(visitor: Visitor, wanted: NewSchedule) -> Schedule:
    """Do something again and again. A connection has one schedule at most."""
    caller = visitor.caller
    with visitor.session() as session:
        source = None if wanted.connection is None else _source(session, wanted.connection)
        try:
            made = arrange.create(
                session,
                source,
                tenant=caller.tenant,
                user=caller.key_user or caller.user,
                key_user=caller.key_user,
                **wanted.model_dump(exclude={"connection"}),
            )
        except arrange.Taken as error:
            raise Conflict(error.message, hint=error.hint) from None
        return _shown(session, made["schedule_id"])


@router.get("")
def list_schedules(visitor: Visitor, asked: Annotated[Listing, Query()]) -> Page[Schedule]:
    """Every schedule, the oldest first."""
    after = place(asked.cursor, schedules.Place)
    with visitor.session() as session:
        rows = schedules.listing(session, asked.named, after=after, limit=asked.limit + 1)
    shown, after_these = cut(rows, asked.limit, *schedules.Place._fields)
    items = [Schedule.model_validate(schedules.shown(row)) for row in shown]
    return Page(items=items, next=after_these)


@router.get("/{schedule_id}")
def get_schedule(visitor: Visitor, schedule_id: str) -> Schedule:
    """One schedule."""
    with visitor.session() as session:
        return _shown(session, schedule_id)


@router.patch("/{schedule_id}")
def change_schedule(visitor: Visitor, schedule_id: str, changes: Changes | None = None) -> Schedule:
    """Change a schedule. It is due next as it says then, from now on."""
    changes = changes or Changes()
    with visitor.session() as session:
        row = _row(session, schedule_id)
        try:
            arrange.change(session, row, changes.model_dump(exclude_unset=True))
        except arrange.Taken as error:
            raise Conflict(error.message, hint=error.hint) from None
        return _shown(session, schedule_id)


@router.delete("/{schedule_id}", status_code=204)
def remove_schedule(visitor: Visitor, schedule_id: str) -> None:
    """Do it no more. A connection is then synced when somebody asks."""
    with visitor.session() as session:
        _row(session, schedule_id)
        schedules.remove(session, schedule_id)


@router.post("/{schedule_id}/run", status_code=202)
def run_schedule(visitor: Visitor, schedule_id: str) -> Ran:
    """Do it now as well. When it is due next stays."""
    with visitor.session() as session:
        row = _row(session, schedule_id)
        try:
            made = schedulable.run_now(session, row)
        except BadInput as error:
            raise Conflict(error.message, hint=error.hint) from None
    message = "Jobs created" if made else "Nothing to do: every connection has a job under way"
    return Ran(
        message=message, jobs=[Job.model_validate(job) for job in made[:100]], count=len(made)
    )


@router.post("/{schedule_id}/pause")
def pause_schedule(visitor: Visitor, schedule_id: str) -> Schedule:
    """Do it no more, until it is resumed."""
    return _paused(visitor, schedule_id, paused=True)


@router.post("/{schedule_id}/resume")
def resume_schedule(visitor: Visitor, schedule_id: str) -> Schedule:
    """Do it again, from now on: what the pause has left out is not made up for."""
    return _paused(visitor, schedule_id, paused=False)


def _paused(visitor: Visitor, schedule_id: str, *, paused: bool) -> Schedule:
    with visitor.session() as session:
        schedules.change(session, {**_row(session, schedule_id), "paused": paused})
        return _shown(session, schedule_id)


def _row(session: Connection, schedule_id: str) -> ScheduleRow:
    row = schedules.one(session, schedule_id)
    if row is None:
        raise NotFound(
            f"There is no schedule {schedule_id}.", hint="GET /api/schedules lists them."
        )
    return row


def _shown(session: Connection, schedule_id: str) -> Schedule:
    return Schedule.model_validate(schedules.shown(_row(session, schedule_id)))


def _source(session: Connection, named: str) -> ConnectionRow:
    """The connection that a schedule is of. Raises NotFound, or BadInput of several."""
    rows = listings.connections_named(session, named, "")
    if not rows:
        raise NotFound(
            f"There is no connection {named!r}.", hint="GET /api/connections lists them."
        )
    if len(rows) > 1 and rows[0]["connection_id"] != named:
        ids = ", ".join(f"{row['provider']}: {row['connection_id']}" for row in rows[:5])
        raise BadInput("More than one connection fits.", hint=f"Name one by its id ({ids}).")
    return rows[0]
