"""What happened when, newest first: of everybody, or of one person."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.sql import SQL

from headrace.store.database import Connection
from headrace.store.listings import Place
from headrace.store.sql import query


def timeline(
    connection: Connection,
    *,
    identities: Sequence[UUID] | None = None,
    kinds: Sequence[str] | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    after: Place | None = None,
    limit: int = 50,
) -> list[dict[str, Any]]:
    """Rows of `timeline_events` after a place, newest first; with `identities`, those they took
    part in. `since` is inclusive, `until` exclusive. Those without a time come last, and only where
    neither of the two is given. `connection` is one from `Database.people`."""
    of = "" if identities is None else "_of"
    values: dict[str, Any] = {
        "identities": None if identities is None else list(identities),
        "kinds": None if kinds is None else list(kinds),
        "since": since,
        "until": until,
        "at": after.occurred_at if after else None,
        "stream_id": after.stream_id if after else 0,
        "source_id": after.source_id if after else "",
        "limit": limit,
    }
    found: list[dict[str, Any]] = []
    if after is None or after.occurred_at is not None:
        found = _page(connection, f"dated{of}", values)
        values |= {"stream_id": None, "source_id": None}
    if len(found) < limit and since is None and until is None:
        values["limit"] = limit - len(found)
        found += _page(connection, f"undated{of}", values)
    return found


def _page(connection: Connection, found: str, values: dict[str, Any]) -> list[dict[str, Any]]:
    statement = SQL(query("timeline", "page")).format(found=SQL(query("timeline", found)))
    # The best plan depends on how far the page reaches, each time.
    return connection.execute(statement, values, prepare=False).fetchall()


def recent(connection: Connection, limit: int) -> list[dict[str, Any]]:
    """Who has been heard of of late, and how often: see `headrace.engine.recent`."""
    return connection.execute(query("timeline", "recent"), {"limit": limit}).fetchall()
