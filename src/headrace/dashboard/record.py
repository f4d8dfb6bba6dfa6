"""One record: a message with its conversation, a meeting, an event."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import Response

from headrace.dashboard.entry import Looking
from headrace.dashboard.page import Look, page
from headrace.dashboard.zone import zone_of
from headrace.errors import NotFound
from headrace.out.attached import attached, headers
from headrace.out.search import Kind
from headrace.out.why import named
from headrace.store import listings
from headrace.store.database import Connection
from headrace.store.sql import query

router = APIRouter(include_in_schema=False)

THREAD = 100
"""Messages of a conversation that are listed."""

_PATHS: dict[str, listings.Table] = {
    "messages": "interactions",
    "meetings": "calendar_events",
    "events": "events",
}
_CALLED = {"interactions": "subject", "calendar_events": "title", "events": "name"}
_NAMES = {table: path for path, table in _PATHS.items()}

# Whatever is in a file of somebody else's, it is kept and not run.
_SANDBOX = {
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "X-Content-Type-Options": "nosniff",
}


def address(kind: Kind, stream_id: int, source_id: str, at: int | None = None) -> str:
    """The page of a record; of a document, at a character of its text."""
    place = f"{stream_id}/{quote(source_id, safe='')}"
    if kind == "documents":
        return f"/documents/{place}" + (f"?at={at}#at-{at}" if at else "")
    return f"/records/{_NAMES[kind]}/{place}"


def _why(table: listings.Table, stream_id: int, source_id: str) -> str:
    kind, _, name = named(table, stream_id, "").partition(":")
    return f"/why/{kind}/{name.removesuffix(':')}/{quote(source_id, safe='')}"


@page("/records/{kind}/{stream_id}/{source_id:path}", "record.html", lives=False)
def record(request: Request, kind: str, stream_id: int, source_id: str) -> Look:
    """One record of the caller's."""
    table, here = _PATHS.get(kind), zone_of(request)

    def look(session: Connection) -> dict[str, Any]:
        row = table and listings.one(session, table, stream_id, source_id)
        if not table or not row:
            raise NotFound("There is no such record.", hint="Search finds those there are.")
        of = {"stream_id": stream_id}
        return {
            "kind": kind,
            "row": row,
            "called": row[_CALLED[table]],
            "zone": here,
            "thread": _thread(session, row) if kind == "messages" else [],
            "files": _files(row) if kind == "messages" else [],
            "source": session.execute(query("dashboard", "source_of"), of).fetchone(),
            "why": _why(table, stream_id, source_id),
        }

    return look


@router.api_route("/attachments/{index}/{stream_id}/{source_id:path}", methods=["GET", "HEAD"])
async def attachment(
    request: Request, visitor: Looking, index: int, stream_id: int, source_id: str
) -> Response:
    """What is attached to a message, as a file. It is asked for where it is kept."""
    if index < 0:
        raise NotFound("There is no such attachment.", hint="The message names those there are.")
    readers = request.app.state.attachment_readers
    found = await attached(visitor, readers, stream_id, source_id, index)
    return Response(found.content, headers={**headers(found), **_SANDBOX})


def _thread(session: Connection, row: dict[str, Any]) -> list[tuple[dict[str, Any], str]]:
    """The conversation that a message is of, in order, each with its page; none of one alone."""
    if not row["thread_id"]:
        return []
    asked = {name: row[name] for name in ("thread_id", "user_id", "source")} | {"limit": THREAD}
    found = session.execute(query("dashboard", "thread"), asked).fetchall()
    if len(found) < 2:
        return []
    return [(one, address("interactions", one["stream_id"], one["source_id"])) for one in found]


def _files(row: dict[str, Any]) -> list[tuple[str, str]]:
    place = f"{row['stream_id']}/{quote(row['source_id'], safe='')}"
    return [(name, f"/attachments/{at}/{place}") for at, name in enumerate(row["attachments"])]
