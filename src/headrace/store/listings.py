"""Pages of what people look at, newest first, read under row-level security."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, NamedTuple

import msgspec
from psycopg.sql import SQL, Composed, Identifier

from headrace.store.database import Connection
from headrace.store.sql import query

Table = Literal["interactions", "calendar_events", "events"]

_COLUMNS: dict[Table, tuple[str, ...]] = {
    "interactions": (
        *("stream_id", "source_id", "version", "user_id", "source", "kind", "occurred_at"),
        *("direction", "thread_id", "message_id", "from_name", "from_address", "to_addresses"),
        *("cc_addresses", "subject", "labels", "attachments"),
    ),
    "calendar_events": (
        *("stream_id", "source_id", "version", "user_id", "uid", "recurrence_id", "occurred_at"),
        *("ends_at", "all_day", "title", "location", "organizer", "attendees", "status"),
        "recurrence",
    ),
    "events": (
        *("stream_id", "source_id", "version", "user_id", "occurred_at", "type", "name"),
        *("actor_id", "session_id", "properties"),
    ),
}


class Place(msgspec.Struct, array_like=True):
    """Where a page ended: the row after which the next one begins."""

    occurred_at: datetime | None
    stream_id: int
    source_id: str


class JobPlace(NamedTuple):
    """Where a page of jobs ended."""

    created_at: datetime
    job_id: str


def rows(
    connection: Connection,
    table: Table,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    after: Place | None = None,
    limit: int = 50,
) -> list[dict[str, Any]]:
    """The rows from `since` (inclusive) to `until` (exclusive) that come after a place.

    Those without a time come last, and only where neither of the two is given.
    """
    values = {
        "since": since,
        "until": until,
        "at": after.occurred_at if after else None,
        "stream_id": after.stream_id if after else None,
        "source_id": after.source_id if after else None,
        "limit": limit,
    }
    found: list[dict[str, Any]] = []
    if after is None or after.occurred_at is not None:
        values |= {} if after else {"stream_id": 0, "source_id": ""}
        found = connection.execute(_text(table, "dated"), values).fetchall()
        values |= {"stream_id": None, "source_id": None}
    if len(found) < limit and since is None and until is None:
        values["limit"] = limit - len(found)
        found += connection.execute(_text(table, "undated"), values).fetchall()
    return found


def one(
    connection: Connection, table: Table, stream_id: int, source_id: str
) -> dict[str, Any] | None:
    """One row, whole."""
    values = {"stream_id": stream_id, "source_id": source_id}
    return connection.execute(_text(table, "one"), values).fetchone()


def raw_of(
    connection: Connection, stream_id: int, source_id: str, most: int
) -> dict[str, Any] | None:
    """The raw event of an interaction, with its connection. Of one that is larger than `most` bytes
    there is no payload."""
    values = {"stream_id": stream_id, "source_id": source_id, "most": most}
    return connection.execute(query("listings", "raw_of"), values).fetchone()


def _text(table: Table, name: str) -> Composed:
    columns = SQL(", ").join(Identifier(column) for column in _COLUMNS[table])
    return SQL(query("listings", name)).format(table=Identifier("headrace", table), columns=columns)


def connections_named(
    connection: Connection, named: str | None, provider: str
) -> list[dict[str, Any]]:
    """The connections an id or a name may mean; without one, all of a provider."""
    if named is None:
        values = {"provider": provider}
        return connection.execute(query("listings", "connections_of"), values).fetchall()
    values = {"named": named}
    return connection.execute(query("listings", "connections_named"), values).fetchall()


def waiting_jobs(connection: Connection, limit: int) -> list[dict[str, Any]]:
    """The oldest jobs that wait or run."""
    return connection.execute(query("listings", "waiting_jobs"), {"limit": limit}).fetchall()
