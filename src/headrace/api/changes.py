"""`/api/changes`: what was added, updated and deleted, for readers that keep their place."""

from __future__ import annotations

import asyncio
from itertools import groupby
from operator import itemgetter
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from headrace.api.auth import Visitor
from headrace.api.problems import Strict
from headrace.api.shapes import Time
from headrace.errors import Unavailable
from headrace.store import changes
from headrace.store.changes import START, Changed, Place
from headrace.store.cursor import cursor, place
from headrace.store.visit import Visit

router = APIRouter(prefix="/changes", tags=["changes"])

NEWEST = "newest"
TICK_SECONDS = 0.5
MOST_WAITING = 64
"""Readers that one process keeps waiting at a time."""
_ROUNDS = 10
"""So much is numbered before an answer: the first reader of a large database does not wait for all
of it."""

_waiting = 0


class Asked(Strict):
    """From where on, and how much of it."""

    after: str | None = Field(
        None,
        max_length=8192,
        description="The `next` of the answer before. Without it: from the beginning; `newest`:"
        " only what comes from now on.",
    )
    limit: int = Field(500, ge=1, le=changes.MOST, description="Records at most.")
    wait: float = Field(
        0, ge=0, le=60, description="Seconds to wait for something where there is nothing yet."
    )


class Change(BaseModel):
    """What happened to one record."""

    change: Literal["added", "updated", "deleted"]
    source_id: str
    version: int
    occurred_at: Time | None


class Checkpoint(BaseModel):
    """The source's cursors before a batch and after it."""

    from_: Any = Field(serialization_alias="from")
    to: Any


class FeedBatch(BaseModel):
    """What one commit brought, or the part of it that fits into the answer."""

    batch_id: int
    connection_id: str
    stream_id: int
    stream: str
    content: str = Field(description="What the stream's records are: a media type.")
    slice: str
    user_id: str
    job_id: str
    committed_at: Time
    checkpoint: Checkpoint
    records: list[Change]


class Feed(BaseModel):
    """Some changes. `next` is where they end, whether or not there is more; keep it."""

    items: list[FeedBatch]
    next: str
    more: bool


@router.get("")
async def list_changes(
    visitor: Visitor, request: Request, asked: Annotated[Asked, Query()]
) -> Feed:
    """What was added, updated and deleted, in the order of the feed. Nothing is left out and
    nothing comes twice, whatever is being written meanwhile. Of two versions of a record the larger
    is the newer, in whichever order they come."""
    global _waiting
    after = START if asked.after in (None, NEWEST) else place(asked.after, Place) or START
    if asked.after == NEWEST:
        after = await asyncio.to_thread(_newest, visitor)
    found = await asyncio.to_thread(_look, visitor, after, asked.limit)
    if found.rows or found.more or not asked.wait:
        return _shown(found)
    if _waiting >= MOST_WAITING:
        raise Unavailable("Too many wait for changes at once.", hint="Ask without `wait`.")
    _waiting += 1
    try:
        return _shown(await _await(visitor, request, found, asked))
    finally:
        _waiting -= 1


async def _await(visitor: Visit, request: Request, found: Changed, asked: Asked) -> Changed:
    ends = asyncio.get_running_loop().time() + asked.wait
    while not (found.rows or found.more):
        left = ends - asyncio.get_running_loop().time()
        if left <= 0 or request.app.state.leaving.is_set() or await request.is_disconnected():
            break
        await asyncio.sleep(min(TICK_SECONDS, left))
        found = await asyncio.to_thread(_look, visitor, found.place, asked.limit)
    return found


def _newest(visitor: Visit) -> Place:
    changes.number(visitor.database)
    with visitor.session() as session:
        return changes.newest(session)


def _look(visitor: Visit, after: Place, limit: int) -> Changed:
    whole = changes.number(visitor.database, _ROUNDS)
    with visitor.session() as session:
        found = changes.page(session, after, limit)
    return found if whole else found._replace(more=True)


def _shown(found: Changed) -> Feed:
    items = []
    for _, rows in groupby(found.rows, key=itemgetter("batch_id")):
        records = list(rows)
        first = records[0]
        checkpoint = {"from_": first["cursor_before"], "to": first["cursor_after"]}
        items.append(
            FeedBatch.model_validate({**first, "checkpoint": checkpoint, "records": records})
        )
    return Feed(items=items, next=cursor(*found.place), more=found.more)
