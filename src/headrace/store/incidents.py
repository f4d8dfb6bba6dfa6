"""Incidents: raised once, over once, looked at by people."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from headrace.errors import Conflict, NotFound
from headrace.store.database import Connection
from headrace.store.sql import query

IncidentRow = dict[str, Any]

_LOCK = 0x4852_414C_4552_5401


class Place(NamedTuple):
    """Where a page of incidents ended."""

    raised_at: datetime
    incident_id: str


class Found(NamedTuple):
    """That something is wrong with a subject: a sentence, what to do, and the page that mends it.
    What does not `raise` keeps an incident open, and opens none."""

    tenant: str
    user: str
    subject: str
    said: str
    hint: str
    link: str
    raises: bool = True


def mine(connection: Connection, at_least: float) -> bool:
    """Whether this transaction is the one that looks: no other does, or has within so many
    seconds."""
    row = connection.execute(query("incidents", "mine"), {"lock": _LOCK, "at_least": at_least})
    found = row.fetchone()
    return bool(found and found["mine"])


def settle(
    connection: Connection, looked: Mapping[str, Sequence[Found]], off: Collection[str]
) -> tuple[list[IncidentRow], list[IncidentRow]]:
    """Hold what each rule has found against what is open. Returns what is new, and what is over."""
    counts = {"rules": list(looked), "subjects": [len(one) for one in looked.values()]}
    connection.execute(query("incidents", "looked"), counts)
    there = connection.execute(query("incidents", "open"), {"looked": list(looked)}).fetchall()
    known = {(row["tenant_id"], row["rule"], row["subject"]) for row in there}
    found = {(one.tenant, rule, one.subject): one for rule in looked for one in looked[rule]}
    gone = [row for row in there if (row["tenant_id"], row["rule"], row["subject"]) not in found]
    new = [(key, one) for key, one in found.items() if one.raises and key not in known]
    return _raise(connection, new) if new else [], _end(connection, gone, off) if gone else []


def _end(
    connection: Connection, rows: Sequence[IncidentRow], off: Collection[str]
) -> list[IncidentRow]:
    values = {
        "tenants": [row["tenant_id"] for row in rows],
        "ids": [row["incident_id"] for row in rows],
        "off": list(off),
    }
    return connection.execute(query("incidents", "end"), values).fetchall()


def _raise(
    connection: Connection, new: Sequence[tuple[tuple[str, str, str], Found]]
) -> list[IncidentRow]:
    values = {
        "tenants": [tenant for (tenant, _, _), _ in new],
        "rules": [rule for (_, rule, _), _ in new],
        "subjects": [subject for (_, _, subject), _ in new],
        "users": [one.user for _, one in new],
        "said": [one.said for _, one in new],
        "hints": [one.hint for _, one in new],
        "links": [one.link for _, one in new],
    }
    return connection.execute(query("incidents", "raise"), values).fetchall()


def tidy(connection: Connection, days: float) -> None:
    """Forget what has been over for so many days."""
    connection.execute(query("incidents", "tidy"), {"seconds": days * 86_400})


def looks(connection: Connection) -> dict[str, dict[str, Any]]:
    """When each rule was last looked at, by its name."""
    return {row["rule"]: row for row in connection.execute(query("incidents", "looks"))}


def listing(
    connection: Connection,
    *,
    open_: bool | None = None,
    rule: str | None = None,
    before: Place | None = None,
    limit: int = 50,
) -> list[IncidentRow]:
    """The newest incidents this connection may see: the open ones, those that are over, or all."""
    values = {
        "open": open_,
        "rule": rule,
        "at": before.raised_at if before else None,
        "id": before.incident_id if before else None,
        "limit": limit,
    }
    return connection.execute(query("incidents", "listing"), values).fetchall()


def standing(connection: Connection, limit: int) -> list[IncidentRow]:
    """What is open and not put off, first what nobody has taken up; `whole` is how many there
    are."""
    return connection.execute(query("incidents", "standing"), {"limit": limit}).fetchall()


def get(connection: Connection, incident_id: str) -> IncidentRow:
    """One incident. Raises NotFound."""
    row = connection.execute(query("incidents", "get"), {"id": incident_id}).fetchone()
    if row is None:
        raise NotFound(
            f"There is no alert {incident_id!r}.", hint="GET /api/alerts lists those there are."
        )
    return row


def acknowledge(connection: Connection, incident_id: str, by: str) -> IncidentRow:
    """Say that somebody has taken it up. Raises NotFound; Conflict for one that is over."""
    values = {"id": incident_id, "by": by}
    return _changed(connection, "acknowledge", incident_id, values)


def snooze(connection: Connection, incident_id: str, hours: float) -> IncidentRow:
    """Do not show it on the first page for so long. Raises NotFound; Conflict for one that is
    over."""
    values = {"id": incident_id, "seconds": hours * 3600}
    return _changed(connection, "snooze", incident_id, values)


def _changed(
    connection: Connection, name: str, incident_id: str, values: dict[str, Any]
) -> IncidentRow:
    get(connection, incident_id)
    row = connection.execute(query("incidents", name), values).fetchone()
    if row is None:
        raise Conflict("This alert is over.", hint="There is nothing left to do about it.")
    return row
