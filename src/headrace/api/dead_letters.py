"""`/api/dead-letters`: what could not be processed, and why; retried or dropped, one or many."""

from __future__ import annotations

import base64
from typing import Annotated, Any, Literal, NamedTuple

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from headrace.api.auth import Visit, Visitor
from headrace.api.problems import Conflict, NotFound, Strict
from headrace.api.shapes import Cursor, Limit, Page, Time, cursor, place
from headrace.engine import redrive
from headrace.errors import BadInput
from headrace.store import dead_letters as letters

router = APIRouter(prefix="/dead-letters", tags=["dead letters"])


class Place(NamedTuple):
    """Where a page ended."""

    number: int


class Listing(Strict):
    """Which dead letters."""

    state: Literal["open", "retried", "dropped", "all"] = "open"
    stage: str | None = Field(None, description="`landing`, or the stage that refused it.")
    stream: str | None = None
    limit: Limit = 50
    cursor: Cursor = None


class Letter(BaseModel):
    """One record, batch or exchange that could not be processed."""

    dead_letter_id: int
    stage: str
    connection_id: str | None
    connection: str | None
    stream: str | None
    source_id: str | None
    version: int | None
    batch_id: int | None
    job_id: str | None
    reason: str
    hint: str
    attempts: int
    state: Literal["open", "retried", "dropped"]
    created_at: Time
    resolved_at: Time | None
    raw_bytes: int


class LetterDetail(Letter):
    """One dead letter with its bytes."""

    raw: str = Field(description="What was received, in base64; empty where it is a raw event.")


class Retried(BaseModel):
    """What became of a retry: the letter as it is now, and a sentence."""

    state: Literal["retried", "open"]
    message: str
    dead_letter: Letter


class Many(Strict):
    """Which of the open letters."""

    stage: str | None = None
    stream: str | None = None


class ManyToRetry(Many):
    """Which of the open letters; `after` is that of the answer before."""

    after: int = Field(0, ge=0)


class Round(BaseModel):
    """What became of a round of retries. With `after`, ask again with it: time was up."""

    retried: int
    still_open: int
    after: int | None


class Dropped(BaseModel):
    """How many letters were let go."""

    dropped: int


@router.get("")
def list_letters(visitor: Visitor, asked: Annotated[Listing, Query()]) -> Page[Letter]:
    """Dead letters without their bytes, newest first."""
    after = place(asked.cursor, Place)
    with visitor.session() as session:
        rows = letters.listing(
            session,
            state=None if asked.state == "all" else asked.state,
            stage=asked.stage,
            stream=asked.stream,
            before=after.number if after else None,
            limit=asked.limit + 1,
        )
    items = [Letter.model_validate(row) for row in rows[: asked.limit]]
    more = len(rows) > asked.limit
    return Page(items=items, next=cursor(items[-1].dead_letter_id) if more else None)


@router.post("/retry")
def retry_many(visitor: Visitor, wanted: ManyToRetry | None = None) -> Round:
    """Retry open letters, for at most a second or two; the answer says where to go on."""
    chosen = wanted or ManyToRetry()
    caller = visitor.caller
    done = redrive.retry_all(
        visitor.database,
        caller.tenant,
        caller.key_user,
        stage=chosen.stage,
        stream=chosen.stream,
        after=chosen.after,
    )
    return Round.model_validate(done, from_attributes=True)


@router.post("/drop")
def drop_many(visitor: Visitor, wanted: Many) -> Dropped:
    """Let every open letter of a stage or a stream go. Their rows stay, marked dropped."""
    if wanted.stage is None and wanted.stream is None:
        raise BadInput(
            "This would drop every dead letter there is.", hint="Name a stage or a stream."
        )
    with visitor.session() as session:
        return Dropped(dropped=letters.drop_all(session, stage=wanted.stage, stream=wanted.stream))


@router.get("/{number}")
def get_letter(visitor: Visitor, number: int) -> LetterDetail:
    """One dead letter with its bytes."""
    row = _letter(visitor, number)
    raw = base64.b64encode(row.pop("raw") or b"").decode()
    return LetterDetail(**row, raw=raw)


@router.post("/{number}/retry")
def retry_letter(visitor: Visitor, number: int) -> Retried:
    """Process a dead letter again. Where it fails again, it stays open with the new reason."""
    _letter(visitor, number)
    caller = visitor.caller
    try:
        done = redrive.again(visitor.database, caller.tenant, caller.key_user, number)
    except BadInput as error:
        raise Conflict(error.message, hint=error.hint) from None
    letter = Letter.model_validate(_letter(visitor, number))
    return Retried.model_validate(
        {"state": done.state, "message": done.message, "dead_letter": letter}
    )


@router.post("/{number}/drop")
def drop_letter(visitor: Visitor, number: int) -> Letter:
    """Let a dead letter go; its row stays, marked dropped."""
    _letter(visitor, number)
    try:
        with visitor.session() as session:
            letters.drop(session, number)
    except BadInput as error:
        raise Conflict(error.message, hint=error.hint) from None
    return Letter.model_validate(_letter(visitor, number))


def _letter(visitor: Visit, number: int) -> dict[str, Any]:
    with visitor.session() as session:
        row = letters.find(session, number)
    if row is None:
        raise NotFound(
            f"There is no dead letter {number}.", hint="GET /api/dead-letters lists them."
        )
    return row
