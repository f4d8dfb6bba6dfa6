"""Documents: those that were brought in last, whether they can be found yet, and their passages."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Query

from headrace.dashboard.page import Look, page
from headrace.dashboard.record import address
from headrace.errors import NotFound
from headrace.store.database import Connection
from headrace.store.sql import query

ROWS = 100

PASSAGES, BEFORE = 50, 2
"""Passages that one page shows, and how many of them before the one that is asked for."""


@page("/documents", "documents.html")
def documents(q: Annotated[str, Query(max_length=200)] = "") -> Look:
    """The newest, or those with this in their name."""

    def look(session: Connection) -> dict[str, Any]:
        part = q.strip().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        values = {"q": part or None, "limit": ROWS}
        rows = session.execute(query("dashboard", "documents"), values).fetchall()
        found = [(row, address("documents", row["stream_id"], row["source_id"])) for row in rows]
        return {"documents": found, "q": q, "most": ROWS}

    return look


@page("/documents/{stream_id}/{source_id:path}", "document.html", lives=False)
def document(stream_id: int, source_id: str, at: Annotated[int, Query(ge=0)] = 0) -> Look:
    """One of them, with its passages from a character of its text on."""

    def look(session: Connection) -> dict[str, Any]:
        named = {"stream_id": stream_id, "source_id": source_id}
        row = session.execute(query("dashboard", "document"), named).fetchone()
        if row is None:
            raise NotFound("There is no such document.", hint="The list has those there are.")
        asked = {"stream_id": stream_id, "content_hash": row["content_hash"], "at": at}
        asked |= {"before": BEFORE if at else 0, "limit": PASSAGES + 1}
        found = session.execute(query("dashboard", "passages_of"), asked).fetchall()
        shown = found[:PASSAGES]
        return {
            "document": row,
            "source": session.execute(query("dashboard", "source_of"), named).fetchone(),
            "passages": shown,
            "earlier": bool(shown and shown[0]["position"]),
            "further": found[PASSAGES]["start_at"] if len(found) > PASSAGES else None,
            "here": address("documents", stream_id, source_id),
            "why": f"/why/document/{quote(f'{stream_id}:{source_id}')}",
        }

    return look
