"""What an agent is given to remember by: short texts, each with who, when and where from.

A search, whose hits are told in full: the passage instead of a snippet, and who took part.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from headrace.out.search import Hit, Kind, search
from headrace.store.database import Connection
from headrace.store.sql import query

MOST = 50
"""Texts of one answer."""

_EXPECTED = 4  # hits looked at for each text: several passages of one thing are told once


class Memory(msgspec.Struct, kw_only=True):
    """One text. `who` are names and addresses: the sender or organizer first."""

    kind: Kind
    stream_id: int
    source_id: str
    title: str
    text: str
    who: list[str]
    occurred_at: datetime | None
    connection: str
    stream: str
    page: int | None
    headings: list[str]
    score: float


def recall(
    connection: Connection, text: str, *, limit: int = 10, characters: int = 800, **filters: Any
) -> list[Memory]:
    """The best texts for a question, best first: at most `limit`, of at most `characters` each, and
    one of each thing. `filters` are those of `search`, and `connection` is too."""
    limit = max(0, min(limit, MOST))
    hits = search(connection, text, limit=limit * _EXPECTED, **filters)
    best: dict[tuple[str, int, str], Hit] = {}
    for hit in hits:
        best.setdefault((hit.kind, hit.stream_id, hit.source_id), hit)
    chosen = list(best.values())[:limit]
    told = _told(connection, chosen, characters)
    return [_memory(hit, told.get((hit.stream_id, hit.source_id)), characters) for hit in chosen]


def _told(
    connection: Connection, hits: Sequence[Hit], characters: int
) -> dict[tuple[int, str], dict[str, Any]]:
    """Who took part in interactions and meetings, and the beginning of what was said; read as
    people."""
    values = {
        "streams": [hit.stream_id for hit in hits],
        "sources": [hit.source_id for hit in hits],
        "characters": characters,
    }
    rows = connection.execute(query("said", "told"), values).fetchall()
    return {(row["stream_id"], row["source_id"]): row for row in rows}


def _memory(hit: Hit, told: dict[str, Any] | None, characters: int) -> Memory:
    text, who = hit.snippet.replace("**", ""), []
    if hit.kind in ("interactions", "calendar_events") and told is not None:
        people = sorted(told["people"], key=lambda one: one.get("role") in ("to", "cc", "attendee"))
        names = [one.get("name") or one.get("value") for one in people]
        names = names or [told["from_name"] or told["from_address"], *told["to_addresses"]]
        who = list(dict.fromkeys(one for one in names if one))[:20]
        text = told["text"] or text
    if hit.citation is not None:
        text = hit.citation.text
    return Memory(
        kind=hit.kind,
        stream_id=hit.stream_id,
        source_id=hit.source_id,
        title=hit.title,
        text=text[:characters].strip(),
        who=who,
        occurred_at=hit.occurred_at,
        connection=hit.connection,
        stream=hit.stream,
        page=hit.citation.page if hit.citation else None,
        headings=hit.citation.headings if hit.citation else [],
        score=hit.score,
    )
