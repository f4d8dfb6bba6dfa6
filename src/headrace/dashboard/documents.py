"""Documents: those that were brought in last, and whether they can be found yet."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query

from headrace.dashboard.page import Look, page
from headrace.dashboard.record import address
from headrace.store.database import Connection
from headrace.store.sql import query

ROWS = 100


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
