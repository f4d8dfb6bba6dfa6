"""What is done to many dead letters: to those that are ticked, or to all of a reason."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Form
from fastapi.responses import Response

from headrace.dashboard.entry import Acting
from headrace.dashboard.letters import ROWS
from headrace.dashboard.said import back
from headrace.engine import redrive, redrive_many
from headrace.errors import BadInput
from headrace.store import dead_letters as store
from headrace.store.visit import Visit

router = APIRouter(include_in_schema=False)

Reason = Annotated[str, Form(max_length=500)]


@router.post("/dead-letters/retry")
def retry_many(visitor: Acting, reason: Reason = "") -> Response:
    """Have a job try all again that are open, or those of a reason."""
    chosen, caller = store.Chosen(reason=reason or None), visitor.caller
    with visitor.session() as session:
        row = redrive_many.submit(
            session, caller.tenant, caller.user, chosen, of_user=caller.key_user, by=caller.user
        )
    return back(f"/jobs/{row['job_id']}", "They are tried again, by this job.")


@router.post("/dead-letters/drop")
def drop_many(
    visitor: Acting, reason: Annotated[str, Form(min_length=1, max_length=500)]
) -> Response:
    """Let all of a reason go that are open; their rows stay."""
    chosen, dropped, more = store.Chosen(reason=reason), 0, store.AT_ONCE
    while more == store.AT_ONCE:
        with visitor.session() as session:
            more = store.drop_all(session, chosen, visitor.caller.user)
        dropped += more
    return back("/dead-letters", f"Dropped: {dropped:,}. Their rows stay, and say so.")


@router.post("/dead-letters/several")
def several(
    visitor: Acting,
    act: Annotated[Literal["retry", "drop"], Form()],
    letter: Annotated[list[int], Form(max_length=ROWS)] = [],  # noqa: B006 - FastAPI copies it
) -> Response:
    """Retry or drop those that are ticked; what is over already is left as it is."""
    if not letter:
        return back("/dead-letters", "Tick some first.")
    done = 0
    for number in letter:
        try:
            done += _retried(visitor, number) if act == "retry" else _dropped(visitor, number)
        except BadInput:
            pass
    word = "Processed" if act == "retry" else "Dropped"
    left = len(letter) - done
    said = f"{word}: {done:,} of {len(letter):,}."
    return back("/dead-letters", f"{said} The others say why not." if left else said)


def _retried(visitor: Visit, number: int) -> bool:
    caller = visitor.caller
    tried = redrive.again(visitor.database, caller.tenant, caller.key_user, number, by=caller.user)
    return tried.state == "retried"


def _dropped(visitor: Visit, number: int) -> bool:
    with visitor.session() as session:
        store.drop(session, number, visitor.caller.user)
    return True
