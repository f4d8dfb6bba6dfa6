"""Jobs as people see them: made, listed, cancelled, retried. The engine moves them on."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from psycopg.sql import SQL
from psycopg.types.json import Jsonb

from headrace.errors import BadInput
from headrace.store.connections import ConnectionRow
from headrace.store.database import Connection
from headrace.store.sql import query

JobRow = dict[str, Any]

# How often the job in the way may end in the instant between two statements.
_TRIES = 10

COUNTED = 10_000
"""Jobs of one status that are counted."""


def create(
    connection: Connection,
    *,
    tenant: str,
    user: str,
    kind: str,
    connection_id: str | None = None,
    payload: dict[str, Any] | None = None,
    priority: str = "medium",
    lane: str = "interactive",
    deadline_seconds: int | None = None,
    idempotency_key: str | None = None,
    waits: bool = False,
    younger_than: datetime | None = None,
) -> tuple[JobRow, bool]:
    """The job, and whether it is new: a connection's active job or the same key answers itself.
    One that `waits` is beside its connection's active job, and no other than its key answers it.

    Raises BadInput when the job in the way is somebody else's.
    """
    values = {
        "tenant": tenant,
        "user": user,
        "job_id": str(uuid.uuid4()),
        "kind": kind,
        "connection_id": connection_id,
        "payload": Jsonb(payload or {}),
        "priority": priority,
        "lane": lane,
        "deadline": deadline_seconds,
        "idempotency_key": idempotency_key,
        "waits": waits,
        "younger_than": younger_than,
    }
    for _ in range(_TRIES):
        made = connection.execute(query("jobs", "create"), values).fetchone()
        if made is not None:
            return made, True
        found = connection.execute(query("jobs", "existing"), values).fetchone()
        if found is not None:
            return found, False
        # The one in the way ended between the two statements: now there is room.
    raise BadInput(
        "The connection has a job under way that you may not see.",
        hint="Name a connection of your own.",
    )


def create_syncs(
    connection: Connection,
    wanted: Sequence[tuple[ConnectionRow, str]],
    *,
    keys: Sequence[str | None] | None = None,
    not_before: Sequence[datetime | None] | None = None,
) -> list[JobRow]:
    """New jobs of these kinds for these connections, whoever's they are. A connection that has an
    active job already is left out, and so is one whose idempotency key has made a job before."""
    rows = [row for row, _ in wanted]
    values = {
        "tenants": [row["tenant_id"] for row in rows],
        "users": [row["user_id"] for row in rows],
        "kinds": [kind for _, kind in wanted],
        "connections": [row["connection_id"] for row in rows],
        "keys": keys or [None] * len(rows),
        "resumes": not_before or [None] * len(rows),
    }
    return connection.execute(query("jobs", "create_many"), values).fetchall()


def get(connection: Connection, job_id: str) -> JobRow | None:
    """One job's row."""
    return connection.execute(query("jobs", "get"), {"job_id": job_id}).fetchone()


def under_way(connection: Connection, job_id: str, turn: int) -> JobRow | None:
    """The job's row while this turn of it goes on."""
    values = {"job_id": job_id, "turn": turn}
    return connection.execute(query("jobs", "under_way"), values).fetchone()


def note(connection: Connection, job_id: str, turn: int, standing: msgspec.Struct) -> bool:
    """Write down how far a job is; whether this turn of it goes on still."""
    summary = Jsonb(msgspec.to_builtins(standing))
    values = {"job_id": job_id, "turn": turn, "summary": summary}
    return connection.execute(query("jobs", "note"), values).rowcount > 0


def totals(connection: Connection, tenant: str, job_id: str) -> dict[str, int]:
    """What the job has landed so far; `last_batch` is None before the first."""
    row = connection.execute(query("jobs", "totals"), {"tenant": tenant, "job_id": job_id})
    found = row.fetchone()
    assert found is not None, "an aggregate always answers"
    return found


_NARROWED = {
    "status": "j.status = %(status)s",
    "kind": "j.kind = %(kind)s",
    "source": "j.connection_id = %(source)s",
    "since": "j.created_at >= %(since)s",
    "at": "(j.created_at, j.job_id) < (%(at)s, %(id)s)",
}


def listing(
    connection: Connection,
    *,
    status: str | None = None,
    kind: str | None = None,
    source: str | None = None,
    since: datetime | None = None,
    before: tuple[datetime, str] | None = None,
    limit: int = 50,
) -> list[JobRow]:
    """The newest jobs this connection may see, before a (created_at, job_id) if given; `source` is
    the id of a connection."""
    at, id_ = before or (None, None)
    values = {"status": status, "kind": kind, "source": source, "since": since, "at": at}
    # Only what is asked for is in the text: each question has a plan, and an index, of its own.
    asked = [text for name, text in _NARROWED.items() if values[name] is not None]
    text = query("jobs", "listing").removesuffix(";")
    narrowed = SQL(text).format(narrowed=SQL(" AND ".join(asked) or "true"))
    return connection.execute(narrowed, {**values, "id": id_, "limit": limit}).fetchall()


def landed(connection: Connection, job_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """What each of these jobs has landed up to now, by its id: `fetched` and `inserted`, `total`
    where the source says what there is; nothing of those without a batch."""
    rows = connection.execute(query("jobs", "landed_so_far"), {"job_ids": list(job_ids)})
    return {row["job_id"]: row for row in rows}


def counts(connection: Connection) -> dict[str, int]:
    """How many jobs there are by status, of those that are over, of the last day; `COUNTED` stands
    for that many or more."""
    rows = connection.execute(query("jobs", "counts"), {"limit": COUNTED})
    return {row["status"]: row["jobs"] for row in rows}


def batches(connection: Connection, tenant: str, job_id: str, limit: int) -> list[dict[str, Any]]:
    """The newest commits of a job, each with its stream and what it landed."""
    values = {"tenant": tenant, "job_id": job_id, "limit": limit}
    return connection.execute(query("jobs", "batches"), values).fetchall()
