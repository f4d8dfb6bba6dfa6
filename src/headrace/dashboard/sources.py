"""The first page: every source, how fresh it is, and what has to be done about it."""

from __future__ import annotations

from typing import Any

from headrace.dashboard.entry import Looking
from headrace.dashboard.page import Look, page
from headrace.store import connections
from headrace.store.database import Connection


@page("/", "sources.html")
def sources(visitor: Looking) -> Look:
    """All connections of the caller."""
    del visitor

    def look(session: Connection) -> dict[str, Any]:
        return {"sources": connections.listing(session)}

    return look
