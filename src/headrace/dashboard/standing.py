"""How a source stands beyond its health: its access, what it allows, what waits for its stages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from headrace.engine.queues import APART, STAGES
from headrace.oauth.connect import WAITS
from headrace.store.allowances import CREEP
from headrace.store.database import Connection, as_owner
from headrace.store.sql import query
from headrace.store.visit import Visit

MOST = 10_000
"""Waiting stage work that one look counts, of the whole installation."""

Row = Mapping[str, Any]


class Standing(msgspec.Struct):
    """Of one connection: how its token is in a word, with the time that says since or until when;
    its allowance as a row of `access`; its backlog, stage by stage."""

    token: str = ""
    at: datetime | None = None
    allowance: Row = {}
    backlog: list[Row] = []


def standing(session: Connection, visitor: Visit, rows: Sequence[Row]) -> dict[str, Standing]:
    """How these connections of the caller's stand, by their ids."""
    caller = visitor.caller
    ids = [row["connection_id"] for row in rows]
    asked = {"tenant": caller.tenant, "connections": ids, "creep": CREEP}
    waiting: dict[str, Any] = {"tenant": caller.tenant, "user": caller.key_user}
    waiting |= {"most": MOST, "queues": [STAGES, APART]}
    # The tables of grants and of the engine are nobody's to read: these are the caller's by name.
    with as_owner(session):
        access = session.execute(query("dashboard", "access"), asked).fetchall()
        backlog = session.execute(query("dashboard", "backlog"), waiting).fetchall()
    found = {one["connection_id"]: Standing(*_token(one), allowance=one) for one in access}
    for one in backlog:
        if one["connection_id"] in found:
            found[one["connection_id"]].backlog.append(one)
    return found


def running(session: Connection, rows: Sequence[Row]) -> dict[str, Row]:
    """The jobs that these connections have under way, by the connections' ids."""
    values = {"connections": [row["connection_id"] for row in rows]}
    found = session.execute(query("dashboard", "running"), values).fetchall()
    return {row["connection_id"]: row for row in found}


def waits_for_approval(row: Row) -> bool:
    """Whether nobody has approved its first sync yet (A3.18)."""
    return (row["health"], row["health_reason"]) == ("paused", WAITS[0])


def _token(row: Row) -> tuple[str, datetime | None]:
    """One of: ended, elsewhere, lasting, good, overdue, key; nothing where none is needed."""
    if not row["has_grant"]:
        return ("key", None) if row["has_key"] else ("", None)
    if row["revoked_at"] is not None:
        return "ended", row["revoked_at"]
    if row["elsewhere"]:
        return "elsewhere", None
    if row["expires_at"] is None:
        return "lasting", None
    return ("good" if row["expires_at"] > datetime.now(UTC) else "overdue"), row["expires_at"]
