"""What is done again and again: made, changed, listed. The engine runs it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec
from psycopg.types.json import Jsonb

from headrace.cadence import learned
from headrace.cadence.learned import History
from headrace.cadence.spec import Spec, parse
from headrace.cadence.times import Beat, phase, spread
from headrace.store.database import Connection
from headrace.store.sql import query

ScheduleRow = dict[str, Any]


class Place(NamedTuple):
    """Where a page ended."""

    created_at: datetime
    schedule_id: str


SYNC = "sync"
"""The kind of job that syncs: one connection, or every one."""


def beat(row: Mapping[str, Any]) -> Beat:
    """When a schedule is due. One for many connections has no phase: each of them has its own."""
    spec = parse(row["spec"], row["timezone"], least=0)
    width = spread(spec, row["jitter"], sync=row["kind"] == SYNC)
    alone = row["kind"] != SYNC or row["connection_id"] is not None
    shift = phase(row["schedule_id"], width) if alone else 0
    return Beat(spec, shift, row["every_seconds"])


def own(connection: Connection, connection_id: str, spec: Spec, *, at_once: bool) -> None:
    """Sync a connection as this says; the first time at once, or when its time comes."""
    id_ = of_connection(connection, connection_id) or str(uuid.uuid4())
    made = Beat(spec, phase(id_, spread(spec, None, sync=True)), _every(spec))
    now = datetime.now(UTC)
    values = {
        "id": id_,
        "connection": connection_id,
        "spec": spec.text,
        "every": _every(spec),
        "next": now if at_once else made.after(now),
    }
    connection.execute(query("schedules", "own"), values)


def of_connection(connection: Connection, connection_id: str) -> str | None:
    """The id of a connection's own schedule."""
    row = connection.execute(
        "SELECT schedule_id FROM headrace.schedules WHERE connection_id = %s", [connection_id]
    ).fetchone()
    return None if row is None else str(row["schedule_id"])


def at_once(connection: Connection, connection_id: str) -> None:
    """Have a connection's own schedule be due now."""
    connection.execute(
        "UPDATE headrace.schedules SET next_at = now() WHERE connection_id = %s", [connection_id]
    )


def disown(connection: Connection, connection_id: str) -> None:
    """Sync a connection when somebody asks, and not by itself."""
    connection.execute("DELETE FROM headrace.schedules WHERE connection_id = %s", [connection_id])


def add(connection: Connection, row: Mapping[str, Any]) -> ScheduleRow | None:
    """Keep a schedule, and say when it is due first; None where its connection has one."""
    return connection.execute(query("schedules", "add"), _values(row)).fetchone()


def change(connection: Connection, row: Mapping[str, Any]) -> None:
    """Bring a schedule to what this row says; it is due next as that says, from now on."""
    connection.execute(query("schedules", "change"), _values(row))


def _values(row: Mapping[str, Any]) -> dict[str, Any]:
    spec = parse(row["spec"], row["timezone"], least=0)
    made = {**row, "every_seconds": _every(spec)}
    return {
        "tenant": row["tenant_id"],
        "id": row["schedule_id"],
        "user": row["user_id"],
        "name": row["name"],
        "kind": row["kind"],
        "connection": row["connection_id"],
        "key_user": row["key_user"],
        "payload": Jsonb(row["payload"]),
        "spec": spec.text,
        "timezone": row["timezone"],
        "jitter": row["jitter"],
        "missed": row["missed"],
        "paused": row["paused"],
        "every": made["every_seconds"],
        "next": beat(made).after(datetime.now(UTC)),
    }


def _every(spec: Spec) -> int | None:
    return spec.every or spec.floor


def remove(connection: Connection, schedule_id: str) -> None:
    """Do it no more. Jobs that it has made stay."""
    connection.execute("DELETE FROM headrace.schedules WHERE schedule_id = %s", [schedule_id])


def listing(
    connection: Connection,
    named: str | None = None,
    *,
    after: Place | None = None,
    limit: int | None = None,
) -> list[ScheduleRow]:
    """The schedules this session may see, or those that an id or a name may mean; the oldest
    first."""
    values: dict[str, Any] = {"named": named, "limit": limit}
    values |= {"at": after and after.created_at, "id": after and after.schedule_id}
    return connection.execute(query("schedules", "listing"), values).fetchall()


def one(connection: Connection, schedule_id: str) -> ScheduleRow | None:
    """One schedule by its id."""
    rows = listing(connection, schedule_id)
    return next((row for row in rows if row["schedule_id"] == schedule_id), None)


def shown(row: ScheduleRow) -> dict[str, Any]:
    """A schedule as people see it: with its next three runs, and in words."""
    beat_ = beat(row)
    spec, next_at = beat_.spec, row["next_at"].astimezone(UTC)
    more = {
        "description": spec.words(),
        "next_runs": [] if row["paused"] else beat_.upcoming(next_at, 3),
        "why": None,
    }
    if spec.floor is not None:
        history = msgspec.convert(row["history"] or {}, History)
        more["why"] = learned.why(history, spec.floor, row["every_seconds"])
    return {**row, **more}
