"""Making and changing schedules: what is wrong with one is told at the door."""

from __future__ import annotations

import uuid
from typing import Any

from headrace.cadence.spec import parse
from headrace.engine.schedulable import check_missed, known
from headrace.errors import BadInput
from headrace.store import schedules
from headrace.store.connections import ConnectionRow
from headrace.store.database import Connection
from headrace.store.schedules import SYNC, ScheduleRow


class Taken(BadInput):
    """The connection has a schedule, and a second one would be a second cadence; or the name is
    that of another."""


def create(
    connection: Connection,
    source: ConnectionRow | None = None,
    *,
    tenant: str,
    user: str,
    key_user: str | None,
    kind: str,
    spec: str,
    payload: dict[str, Any] | None = None,
    timezone: str = "UTC",
    jitter: int | None = None,
    missed: str = "once",
    name: str | None = None,
    paused: bool = False,
) -> ScheduleRow:
    """Make a schedule for a user, or for a connection that somebody has named. Raises BadInput, and
    Taken where the connection has one."""
    kind, given = known(kind, payload or {})
    if source is not None:
        _check_source(source, kind, given)
        given = {}
    row: ScheduleRow = {
        "tenant_id": tenant,
        "schedule_id": str(uuid.uuid4()),
        "user_id": user if source is None else source["user_id"],
        "connection_id": source and source["connection_id"],
        "key_user": key_user,
        "kind": kind,
        "payload": given,
        "spec": spec,
        "timezone": timezone,
        "jitter": jitter,
        "missed": missed,
        "name": name,
        "paused": paused,
    }
    _check(row)
    _check_name(connection, row)
    made = schedules.add(connection, row)
    if made is None:
        there = schedules.of_connection(connection, row["connection_id"])
        raise Taken(
            f"The connection {source['name'] if source else ''} has a schedule already.",
            hint=f"Change that one: {there}.",
        )
    return made


def change(connection: Connection, row: ScheduleRow, changes: dict[str, Any]) -> None:
    """Bring a schedule to what is wanted of it now. Raises BadInput."""
    wanted = {**row, **changes}
    if changes.get("payload"):
        wanted["kind"], wanted["payload"] = known(row["kind"], changes["payload"])
    _check(wanted)
    _check_name(connection, wanted)
    schedules.change(connection, wanted)


def _check(row: ScheduleRow) -> None:
    check_missed(row["kind"], row["missed"])
    if parse(row["spec"], row["timezone"]).learned and row["connection_id"] is None:
        raise BadInput(
            "Only the sync of one connection can be learned.", hint="Name one, or write every 15m."
        )


def _check_name(connection: Connection, row: ScheduleRow) -> None:
    """Two of one name could be told apart by their ids only."""
    for other in schedules.listing(connection, row["name"]) if row["name"] else ():
        same = other["name"] == row["name"] and other["user_id"] == row["user_id"]
        if same and other["schedule_id"] != row["schedule_id"]:
            raise Taken(
                f"A schedule is called {row['name']!r} already.",
                hint=f"Call this one otherwise, or change that one: {other['schedule_id']}.",
            )


def _check_source(source: ConnectionRow, kind: str, payload: dict[str, Any]) -> None:
    if kind != SYNC:
        raise BadInput(f"A job of kind {kind} has no connection.", hint="Leave it out.")
    provider = payload.get("provider", source["provider"])
    if provider != source["provider"]:
        raise BadInput(
            f"The connection {source['name']} is not one of {provider}.",
            hint=f"It is one of {source['provider']}.",
        )
