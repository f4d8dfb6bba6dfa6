"""One record: a message, a meeting, an event, a document."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from headrace.dashboard.page import Look, page
from headrace.errors import NotFound
from headrace.out.search import Kind
from headrace.out.why import named, split
from headrace.store import listings
from headrace.store.database import Connection

_PATHS: dict[str, listings.Table] = {
    "messages": "interactions",
    "meetings": "calendar_events",
    "events": "events",
}
_NAMES = {table: path for path, table in _PATHS.items()}


def address(kind: Kind, stream_id: int, source_id: str) -> str:
    """The page of a record."""
    place = f"{stream_id}/{quote(source_id, safe='')}"
    if kind == "documents":
        return f"/why/document/{place}"
    return f"/records/{_NAMES[kind]}/{place}"


@page("/records/{kind}/{stream_id}/{source_id:path}", "record.html", lives=False)
def record(kind: str, stream_id: int, source_id: str) -> Look:
    """One record of the caller's."""
    table = _PATHS.get(kind)

    def look(session: Connection) -> dict[str, Any]:
        row = table and listings.one(session, table, stream_id, source_id)
        if not table or not row:
            raise NotFound("There is no such record.", hint="Search finds those there are.")
        of, name = split(named(table, stream_id, source_id))
        return {"kind": kind, "row": row, "why": f"/why/{of}/{quote(name, safe=':')}"}

    return look
