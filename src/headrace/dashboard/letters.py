"""Dead letters: why, which, what is in them; tried again, mended, or let go."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import Response

from headrace.dashboard.entry import Acting
from headrace.dashboard.page import Look, page
from headrace.dashboard.paging import with_asked
from headrace.dashboard.said import back
from headrace.engine import mend as mending
from headrace.engine import redrive
from headrace.errors import BadInput, NotFound
from headrace.store import dead_letters as store
from headrace.store.cursor import cut, place
from headrace.store.database import Connection
from headrace.store.visit import Visit

router = APIRouter(include_in_schema=False)

ROWS, REASONS = 50, 20
LONGEST = 200_000
"""Characters of a letter that its page shows and has mended: more do not fit into a form."""

Part = Annotated[str, Query(max_length=500)]


@page("/dead-letters", "letters.html")
def letters(
    request: Request,
    reason: Part = "",
    stage: Part = "",
    after: Annotated[str | None, Query(max_length=8192)] = None,
) -> Look:
    """The open ones, the newest first; above them, how many by reason."""
    began = place(after, tuple[int])
    chosen = store.Chosen(reason=reason or None, stage=stage or None)

    def look(session: Connection) -> dict[str, Any]:
        rows = store.listing(session, chosen, before=began[0] if began else None, limit=ROWS + 1)
        shown, further = cut(rows, ROWS, "dead_letter_id")
        return {
            "letters": shown,
            "counts": store.counts(session, store.Chosen(), REASONS),
            "reason": reason,
            "stage": stage,
            "older": further and with_asked(request, after=further),
            "newest": with_asked(request, after=None) if after else None,
        }

    return look


@page("/dead-letters/{number}", "letter.html", lives=False)
def letter(number: int) -> Look:
    """One of them, with its bytes and its history."""

    def look(session: Connection) -> dict[str, Any]:
        row = existing(session, number)
        raw = row["mended"] or row["raw"] or b""
        try:
            text: str | None = bytes(raw).decode()
        except UnicodeDecodeError:
            text = None
        if text is not None and len(text) > LONGEST:
            text = None
        return {"letter": row, "text": text}

    return look


@router.post("/dead-letters/{number}/retry")
def retry(visitor: Acting, number: int) -> Response:
    """Process it again."""
    caller = visitor.caller
    return _tried(
        visitor,
        number,
        lambda: redrive.again(
            visitor.database, caller.tenant, caller.key_user, number, by=caller.user
        ),
    )


@router.post("/dead-letters/{number}/mend")
def mend(visitor: Acting, number: int, text: Annotated[str, Form(max_length=LONGEST)]) -> Response:
    """Process it with this text in the place of what the source had sent."""
    caller, raw = visitor.caller, text.replace("\r\n", "\n").encode()
    return _tried(
        visitor,
        number,
        lambda: mending.mend(
            visitor.database, caller.tenant, caller.key_user, number, raw, by=caller.user
        ),
    )


@router.post("/dead-letters/{number}/drop")
def drop(visitor: Acting, number: int) -> Response:
    """Let it go; its row stays."""
    with visitor.session() as session:
        existing(session, number)
        try:
            store.drop(session, number, visitor.caller.user)
        except BadInput as error:
            return back(f"/dead-letters/{number}", str(error))
    return back("/dead-letters", "It is dropped. Its row stays, and says so.")


def existing(session: Connection, number: int) -> dict[str, Any]:
    """A dead letter that the caller may see. Raises NotFound."""
    row = store.find(session, number)
    if row is None:
        raise NotFound(f"There is no dead letter {number}.", hint="The list has those there are.")
    return row


def _tried(visitor: Visit, number: int, act: Any) -> Response:
    with visitor.session() as session:
        existing(session, number)
    try:
        said = act().message
    except BadInput as error:
        said = str(error)
    return back(f"/dead-letters/{number}", said)
