"""What is done again and again: steered from the system page."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import Response

from headrace.dashboard.asked import source_named
from headrace.dashboard.entry import Acting
from headrace.dashboard.said import back
from headrace.engine import arrange, schedulable
from headrace.errors import BadInput, NotFound
from headrace.store import schedules as store
from headrace.store.database import Connection
from headrace.store.schedules import ScheduleRow
from headrace.store.visit import Visit

router = APIRouter(include_in_schema=False)

HERE = "/system#schedules"


Word = Annotated[str, Form(max_length=4096)]


@router.post("/schedules")
def add(
    visitor: Acting,
    spec: Word,
    kind: Word = store.SYNC,
    source: Word = "",
    timezone: Word = "UTC",
    name: Word = "",
) -> Response:
    """Do something again and again, from now on."""
    caller = visitor.caller
    with visitor.session() as session:
        try:
            arrange.create(
                session,
                source_named(session, source),
                tenant=caller.tenant,
                user=caller.key_user or caller.user,
                key_user=caller.key_user,
                kind=kind.strip(),
                spec=spec.strip(),
                timezone=timezone.strip() or "UTC",
                name=name.strip() or None,
            )
        except BadInput as error:
            return back(HERE, str(error))
    return back(HERE, "It is done again and again from now on.")


@router.post("/schedules/{schedule_id}/run")
def run(visitor: Acting, schedule_id: str) -> Response:
    """Do it now as well."""
    with visitor.session() as session:
        row = existing(session, schedule_id)
        try:
            made = len(schedulable.run_now(session, row))
        except BadInput as error:
            return back(HERE, str(error))
    if not made:
        return back(HERE, "Nothing to do: every connection has a job under way.")
    return back(HERE, f"{made:,} jobs are on their way." if made > 1 else "A job is on its way.")


@router.post("/schedules/{schedule_id}/pause")
def pause(visitor: Acting, schedule_id: str) -> Response:
    """Do it no more, until it is resumed."""
    return _paused(visitor, schedule_id, "It is paused.", paused=True)


@router.post("/schedules/{schedule_id}/resume")
def resume(visitor: Acting, schedule_id: str) -> Response:
    """Do it again, from now on."""
    return _paused(visitor, schedule_id, "It goes on from now.", paused=False)


@router.post("/schedules/{schedule_id}/remove")
def remove(visitor: Acting, schedule_id: str) -> Response:
    """Do it no more. The jobs that it has made stay."""
    with visitor.session() as session:
        existing(session, schedule_id)
        store.remove(session, schedule_id)
    return back(HERE, "It is removed. The jobs that it has made stay.")


def existing(session: Connection, schedule_id: str) -> ScheduleRow:
    """A schedule that the caller may see. Raises NotFound."""
    row = store.one(session, schedule_id)
    if row is None:
        raise NotFound("There is no such schedule.", hint="The system page has those there are.")
    return row


def _paused(visitor: Visit, schedule_id: str, said: str, *, paused: bool) -> Response:
    with visitor.session() as session:
        store.change(session, {**existing(session, schedule_id), "paused": paused})
    return back(HERE, said)
