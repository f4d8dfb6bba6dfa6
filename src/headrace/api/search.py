"""`/api/search`: over messages, calendars, events and documents."""

from __future__ import annotations

import time
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from headrace.api.auth import Visitor
from headrace.api.problems import Strict
from headrace.api.shapes import Limit, Time, row_path
from headrace.out import search as out
from headrace.out.meant import Mode
from headrace.out.search import KINDS, Kind

router = APIRouter(prefix="/search", tags=["search"])


class Narrowed(Strict):
    """Where to look for what."""

    q: str = Field(description='Words; "a phrase"; -without. Fewer hits: some of the words.')
    kind: list[Kind] = Field(
        list(KINDS), description="Where to look; may be given more than once. Unset: everywhere."
    )
    since: Time | None = Field(None, description="Only what happened then or later.")
    until: Time | None = Field(None, description="Only what happened before.")
    source: str | None = Field(
        None, max_length=4096, description="Only what came by this connection, by its id or name."
    )
    person: str | None = Field(
        None,
        max_length=320,
        description="Only messages and meetings that somebody took part in: a contact's or"
        " identity's id, an address, or a name.",
    )

    def narrowed(self) -> dict[str, Any]:
        """The same as `out.search` and `out.memory` take it, but for what is looked for."""
        named = self.model_dump(include=set(Narrowed.model_fields) - {"q", "kind"})
        return {**named, "kinds": self.kind}


class Asked(Narrowed):
    """A search."""

    limit: Limit = 20
    type: str | None = Field(
        None, max_length=100, description="Only documents: of this media type, or file ending."
    )
    mode: Mode = Field(
        "hybrid",
        description="How documents, messages and meetings are searched: by words, by meaning, or"
        " both. Events are by words.",
    )


class Citation(BaseModel):
    """Where in a document, or in what is embedded of a message, a passage stands."""

    model_config = ConfigDict(from_attributes=True)

    page: int | None = Field(description="From 1, where the document has pages.")
    headings: list[str] = Field(description="Those it stands under, outermost first.")
    start: int = Field(description="Where it begins in the document's text, in characters.")
    end: int
    text: str = Field(description="The whole passage.")
    media_type: str


class Hit(BaseModel):
    """One row that was found; `path` has all of it."""

    kind: Kind
    stream_id: int
    source_id: str
    stream: str
    connection_id: str
    connection: str
    title: str
    snippet: str = Field(description="Plain text; what was found stands between two asterisks.")
    occurred_at: Time | None
    path: str = Field(description="GET this for the whole row.")
    score: float = Field(description="0 to 2; above 1, everything asked for is in it.")
    citation: Citation | None = Field(
        description="Which passage, and where: of documents, and of messages found by meaning."
    )


class Hits(BaseModel):
    """What was found, best first."""

    items: list[Hit]
    took_ms: float
    notes: list[str] = Field(description="What could not be searched, and why; mostly empty.")


@router.get("")
def search(visitor: Visitor, asked: Annotated[Asked, Query()]) -> Hits:
    """Search everything that has been brought in. No words, no hits."""
    began = time.perf_counter()
    notes: list[str] = []
    with visitor.session() as session:
        found = out.search(
            session,
            asked.q,
            limit=asked.limit,
            type=asked.type,
            mode=asked.mode,
            settings=visitor.settings,
            tell=notes.append,
            **asked.narrowed(),
        )
    took = (time.perf_counter() - began) * 1000
    items = [_hit(one) for one in found]
    return Hits(items=items, took_ms=round(took, 1), notes=notes)


def _hit(one: out.Hit) -> Hit:
    path = row_path(one.kind, one.stream_id, one.source_id)
    return Hit(**msgspec.structs.asdict(one), path=path)
