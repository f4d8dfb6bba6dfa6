"""`/api/search`: full text over interactions and events."""

from __future__ import annotations

import time
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from headrace.api.auth import Visitor
from headrace.api.problems import Strict
from headrace.api.shapes import Limit, Time
from headrace.out import search as out

router = APIRouter(prefix="/search", tags=["search"])


class Asked(Strict):
    """A search."""

    q: str = Field(description='Words; "a phrase"; -without. Fewer hits: some of the words.')
    kind: list[Literal["interactions", "events"]] = Field(
        ["interactions", "events"], description="Where to look; may be given twice."
    )
    limit: Limit = 20
    since: Time | None = Field(None, description="Only what happened then or later.")
    until: Time | None = Field(None, description="Only what happened before.")


class Hit(BaseModel):
    """One row that was found; GET /api/{kind}/{stream_id}/{source_id} has all of it."""

    kind: Literal["interactions", "events"]
    stream_id: int
    source_id: str
    stream: str
    connection_id: str
    connection: str
    title: str
    snippet: str = Field(description="Plain text; what was found stands between two asterisks.")
    occurred_at: Time | None
    score: float = Field(description="0 to 2; above 1, everything asked for is in it.")


class Hits(BaseModel):
    """What was found, best first."""

    items: list[Hit]
    took_ms: float


@router.get("")
def search(visitor: Visitor, asked: Annotated[Asked, Query()]) -> Hits:
    """Search everything that has been brought in. No words, no hits."""
    began = time.perf_counter()
    with visitor.session() as session:
        found = out.search(
            session,
            asked.q,
            kinds=asked.kind,
            limit=asked.limit,
            since=asked.since,
            until=asked.until,
        )
    took = (time.perf_counter() - began) * 1000
    items = [Hit.model_validate(one, from_attributes=True) for one in found]
    return Hits(items=items, took_ms=round(took, 1))
