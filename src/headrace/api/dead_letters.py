"""`/api/dead-letters`: what could not be processed, and why; retried, mended, dropped, exported."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Annotated, Any, NamedTuple

import msgspec
from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from headrace.api.auth import Visitor
from headrace.api.letter_shapes import (
    Bytes,
    Count,
    Counting,
    Counts,
    Dropped,
    Exporting,
    Letter,
    LetterDetail,
    Listing,
    Many,
    ManyToRetry,
    Retried,
    Round,
)
from headrace.api.shapes import Page
from headrace.engine import mend, redrive, redrive_many
from headrace.errors import BadInput, Conflict, NotFound
from headrace.store import dead_letters as letters
from headrace.store.cursor import cut, place
from headrace.store.visit import Visit

router = APIRouter(prefix="/dead-letters", tags=["dead letters"])

_SECONDS = 2.0
"""How long one request goes on dropping."""


class Place(NamedTuple):
    """Where a page ended."""

    number: int


@router.get("")
def list_letters(visitor: Visitor, asked: Annotated[Listing, Query()]) -> Page[Letter]:
    """Dead letters without their bytes, newest first."""
    after = place(asked.cursor, Place)
    with visitor.session() as session:
        rows = letters.listing(
            session,
            asked.chosen(asked.state),
            before=after.number if after else None,
            limit=asked.limit + 1,
        )
    shown, after_these = cut(rows, asked.limit, "dead_letter_id")
    return Page(items=[Letter.model_validate(row) for row in shown], next=after_these)


@router.get("/counts")
def count_letters(visitor: Visitor, asked: Annotated[Counting, Query()]) -> Counts:
    """How many there are by reason, without the numbers and ids in it; the largest first."""
    with visitor.session() as session:
        chosen = asked.chosen(asked.state)
        rows = letters.counts(session, chosen, asked.limit)
        total = letters.how_many(session, chosen)
    return Counts(total=total, items=[Count.model_validate(row) for row in rows])


@router.get("/export")
def export_letters(visitor: Visitor, asked: Annotated[Exporting, Query()]) -> StreamingResponse:
    """All of them with their bytes, oldest first, as JSON: one a line."""
    chosen = asked.chosen(asked.state)

    def lines() -> Iterator[bytes]:
        for row in letters.export(visitor.session, chosen):
            yield msgspec.json.encode(row) + b"\n"

    return StreamingResponse(lines(), media_type="application/x-ndjson")


@router.post("/retry")
def retry_many(visitor: Visitor, wanted: ManyToRetry | None = None) -> Round:
    """Retry open letters, for at most a second or two; the answer says where to go on. Where there
    are more than a thousand, or `background` says so, a job does it."""
    asked = wanted or ManyToRetry()
    chosen, caller = asked.chosen("open"), visitor.caller
    background = asked.background
    if background is None and asked.after == 0:
        with visitor.session() as session:
            background = letters.how_many(session, chosen) > redrive_many.MANY
    who = {"of_user": caller.key_user, "by": caller.user}
    if background:
        with visitor.session() as session:
            row = redrive_many.submit(session, caller.tenant, caller.user, chosen, **who)
        return Round(retried=0, still_open=0, after=None, job_id=row["job_id"])
    done = redrive_many.retry_all(
        visitor.database,
        caller.tenant,
        caller.key_user,
        chosen,
        after=asked.after,
        by=caller.user,
    )
    return Round.model_validate(done, from_attributes=True)


@router.post("/drop")
def drop_many(visitor: Visitor, wanted: Many) -> Dropped:
    """Let every open letter go that is meant. Their rows stay, marked dropped. With `more`, ask
    again: time was up."""
    chosen = wanted.chosen("open")
    if not chosen.narrowed:
        raise BadInput(
            "This would drop every dead letter there is.",
            hint="Name a stage, a stream, a reason or the like.",
        )
    until, dropped = time.monotonic() + _SECONDS, 0
    while True:
        with visitor.session() as session:
            gone = letters.drop_all(session, chosen, visitor.caller.user)
        dropped += gone
        if gone < letters.AT_ONCE or time.monotonic() > until:
            return Dropped(dropped=dropped, more=gone == letters.AT_ONCE)


@router.get("/{number}")
def get_letter(visitor: Visitor, number: int) -> LetterDetail:
    """One dead letter with its bytes and its history."""
    return LetterDetail.of(_letter(visitor, number))


@router.post("/{number}/retry")
def retry_letter(visitor: Visitor, number: int) -> Retried:
    """Process a dead letter again. Where it fails again, it stays open with the new reason."""
    _letter(visitor, number)
    caller = visitor.caller
    try:
        done = redrive.again(
            visitor.database, caller.tenant, caller.key_user, number, by=caller.user
        )
    except BadInput as error:
        raise Conflict(error.message, hint=error.hint) from None
    return _told(visitor, done)


@router.post("/{number}/mend")
def mend_letter(visitor: Visitor, number: int, wanted: Bytes) -> Retried:
    """Process a dead letter with other bytes than its own. Where they are refused as well, it stays
    open with the new reason."""
    _letter(visitor, number)
    caller, raw = visitor.caller, wanted.read()
    try:
        done = mend.mend(
            visitor.database, caller.tenant, caller.key_user, number, raw, by=caller.user
        )
    except BadInput as error:
        raise Conflict(error.message, hint=error.hint) from None
    return _told(visitor, done)


@router.post("/{number}/drop")
def drop_letter(visitor: Visitor, number: int) -> Letter:
    """Let a dead letter go; its row stays, marked dropped."""
    _letter(visitor, number)
    try:
        with visitor.session() as session:
            letters.drop(session, number, visitor.caller.user)
    except BadInput as error:
        raise Conflict(error.message, hint=error.hint) from None
    return Letter.model_validate(_letter(visitor, number))


def _told(visitor: Visit, done: redrive.Retried) -> Retried:
    letter = Letter.model_validate(_letter(visitor, done.dead_letter_id))
    return Retried.model_validate(
        {"state": done.state, "message": done.message, "dead_letter": letter}
    )


def _letter(visitor: Visit, number: int) -> dict[str, Any]:
    with visitor.session() as session:
        row = letters.find(session, number)
    if row is None:
        raise NotFound(
            f"There is no dead letter {number}.", hint="GET /api/dead-letters lists them."
        )
    return row
