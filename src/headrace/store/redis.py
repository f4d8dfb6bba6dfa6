"""What PostgreSQL knows of a Redis: entries that were taken, ends to be told, offers made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from psycopg.types.json import Jsonb

from headrace.store.connections import ConnectionRow
from headrace.store.database import Connection
from headrace.store.jobs import JobRow
from headrace.store.sql import query

REMEMBERED_DAYS = 30
"""How long an entry is known to have been taken: a Redis may be put back to an older copy."""
UNTOLD_DAYS = 7
"""How long the end of a job waits for a Redis that is away."""


class Owned(NamedTuple):
    """Whose connections are meant: all of a user's at a provider, or one by its id."""

    tenant: str
    user: str | None
    provider: str
    connection: str | None


class Wish(NamedTuple):
    """One job that an entry asks for."""

    tenant: str
    user: str
    kind: str
    connection: str
    payload: dict[str, Any]
    priority: str
    key: str


Taken = tuple[str, str, str, bytes]
"""An entry by tenant, user, id and digest."""


def meant(connection: Connection, owned: Sequence[Owned]) -> list[list[ConnectionRow]]:
    """The connections that each of these means; none where there is none."""
    found: list[list[ConnectionRow]] = [[] for _ in owned]
    numbered = list(enumerate(owned))
    whole = [(n, one) for n, one in numbered if one.connection is None]
    named = [(n, one) for n, one in numbered if one.connection is not None]
    for name, asked in (("owners_connections", whole), ("named_connections", named)):
        values = {
            "numbers": [n for n, _ in asked],
            "tenants": [one.tenant for _, one in asked],
            "users": [one.user for _, one in asked],
            "providers": [one.provider for _, one in asked],
            "connections": [one.connection for _, one in asked],
        }
        for row in connection.execute(query("redis", name), values) if asked else ():
            found[row.pop("n")].append(row)
    return found


def take(connection: Connection, entries: Sequence[Taken]) -> set[tuple[str, bytes]]:
    """Take these entries; those that had not been taken before, by id and digest."""
    tenants, users, ids, digests = _columns(entries, 4)
    values = {"tenants": tenants, "users": users, "entries": ids, "digests": digests}
    rows = connection.execute(query("redis", "take"), values).fetchall()
    return {(row["entry_id"], bytes(row["digest"])) for row in rows}


def make(connection: Connection, wishes: Sequence[Wish]) -> list[JobRow]:
    """New jobs; a connection that has an active job is left out."""
    tenants, users, kinds, connections, payloads, priorities, keys = _columns(wishes, 7)
    values = {
        "tenants": tenants,
        "users": users,
        "kinds": kinds,
        "connections": connections,
        "payloads": [Jsonb(one) for one in payloads],
        "priorities": priorities,
        "keys": keys,
    }
    return connection.execute(query("redis", "make"), values).fetchall()


def active(connection: Connection, wishes: Sequence[Wish]) -> dict[str, str]:
    """The jobs that are in the way of new ones, by connection: those under way, and those that the
    same entries have made."""
    values = {
        "tenants": [one.tenant for one in wishes],
        "users": [one.user for one in wishes],
        "connections": [one.connection for one in wishes],
        "keys": [one.key for one in wishes],
    }
    rows = connection.execute(query("redis", "active"), values).fetchall()
    return {row["connection_id"]: row["job_id"] for row in rows}


def answered(connection: Connection, by: Sequence[tuple[Taken, Sequence[str]]]) -> None:
    """Write down which jobs entries were answered by."""
    tenants, _, ids, digests = _columns([entry for entry, _ in by], 4)
    jobs = [",".join(dict.fromkeys(several)) for _, several in by]
    values = {"tenants": tenants, "entries": ids, "digests": digests, "jobs": jobs}
    connection.execute(query("redis", "answered"), values)


def arrived(connection: Connection, wishes: Sequence[Wish]) -> None:
    """What was offered through the stream of these connections has come out of it."""
    values = {
        "tenants": [one.tenant for one in wishes],
        "connections": [one.connection for one in wishes],
    }
    connection.execute(query("redis", "arrived"), values)


def offer(connection: Connection, wanted: Sequence[tuple[ConnectionRow, str]]) -> None:
    """Write down that syncs of these kinds were asked for through the stream."""
    values = {
        "tenants": [row["tenant_id"] for row, _ in wanted],
        "users": [row["user_id"] for row, _ in wanted],
        "connections": [row["connection_id"] for row, _ in wanted],
        "kinds": [kind for _, kind in wanted],
    }
    connection.execute(query("redis", "offer"), values)


def overdue(connection: Connection, seconds: float) -> list[tuple[ConnectionRow, str]]:
    """Take back offers that are older; up to a thousand."""
    rows = connection.execute(query("redis", "overdue"), {"seconds": seconds}).fetchall()
    return [(row, row.pop("kind")) for row in rows]


def name_server(connection: Connection, address: str) -> None:
    """A worker has this Redis: for a week from now, ends of jobs are kept for it."""
    connection.execute(query("redis", "name_server"), {"address": address})


def note_completions(connection: Connection, rows: Sequence[JobRow]) -> None:
    """Have Redis told that jobs are over, in the transaction that ends them; where there is none,
    nothing."""
    if not rows:
        return
    values = {
        "tenants": [row["tenant_id"] for row in rows],
        "users": [row["user_id"] for row in rows],
        "job_ids": [row["job_id"] for row in rows],
        "turns": [row["turn"] for row in rows],
        "days": UNTOLD_DAYS,
    }
    connection.execute(query("redis", "note_completions"), values)


def any_untold(connection: Connection) -> bool:
    """Whether there is anything to be told."""
    row = connection.execute(query("redis", "any_untold")).fetchone()
    return bool(row and row["some"])


def untold(connection: Connection, limit: int) -> list[dict[str, Any]]:
    """Ends of jobs that Redis is to be told of, oldest first, locked until the transaction ends;
    without a `job_id` where the job has been taken up again."""
    return connection.execute(query("redis", "untold"), {"limit": limit}).fetchall()


def told(connection: Connection, numbers: Sequence[int]) -> None:
    """Redis has been told of these."""
    connection.execute(query("redis", "told"), {"numbers": list(numbers)})


def forget(connection: Connection) -> int:
    """Forget what is too old to matter; how many ends of jobs were never told."""
    connection.execute(query("redis", "forget_entries"), {"days": REMEMBERED_DAYS})
    return connection.execute(query("redis", "forget_completions"), {"days": UNTOLD_DAYS}).rowcount


def _columns(rows: Sequence[Sequence[Any]], width: int) -> list[list[Any]]:
    return [[row[at] for row in rows] for at in range(width)]
