"""Connections, their streams and the checkpoints of their slices."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

import msgspec
from psycopg.sql import SQL, Identifier
from psycopg.types.json import Jsonb

from headrace.cadence import spec
from headrace.errors import BadInput, NeedsHuman
from headrace.provider import Owner, StreamPlan
from headrace.store import outbox, schedules
from headrace.store.database import Connection
from headrace.store.sql import query

ConnectionRow = dict[str, Any]


class Part(msgspec.Struct, frozen=True):
    """One slice of one stream: what a walk is of."""

    stream_id: int
    stream: str
    slice: str


def save(
    connection: Connection,
    *,
    tenant: str,
    user: str,
    provider: str,
    name: str,
    config: dict[str, Any],
    addresses: Sequence[str] = (),
    trusted: bool = False,
) -> ConnectionRow:
    """Make the connection of that name, or bring its config up to date; its id stays, and so does
    what somebody has paused."""
    row = connection.execute(
        """
        INSERT INTO headrace.connections AS c
          (tenant_id, user_id, connection_id, provider, name, config, addresses, trusted)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
        ON CONFLICT (tenant_id, user_id, name) DO UPDATE
        SET config = excluded.config, addresses = excluded.addresses,
            trusted = excluded.trusted,
            health = CASE c.health WHEN 'paused' THEN 'paused' ELSE 'active' END,
            health_reason = CASE c.health WHEN 'paused' THEN c.health_reason END,
            health_hint = CASE c.health WHEN 'paused' THEN c.health_hint END
        WHERE c.provider = excluded.provider
        RETURNING *
        """,
        [tenant, user, str(uuid.uuid4()), provider, name, Jsonb(config), list(addresses), trusted],
    ).fetchone()
    if row is None:
        raise BadInput(
            f"There is a connection {name!r} already, of another provider.",
            hint="Choose another name.",
        )
    return row


def seal(connection: Connection, connection_id: str, credential: bytes) -> None:
    """Keep a connection's sealed credential."""
    connection.execute(
        "UPDATE headrace.connections SET credential = %s WHERE connection_id = %s",
        [credential, connection_id],
    )


def of_account(
    connection: Connection,
    connection_id: str,
    *,
    grant_id: str | None,
    account: str | None,
    every_seconds: int | None,
    keeps: bool = False,
) -> ConnectionRow:
    """Say whose account it is, and how often it is synced; None: when somebody asks. The first
    time is now. With `keeps`, it is synced as often as before."""
    connection.execute(
        "UPDATE headrace.connections SET grant_id = %s, account = %s WHERE connection_id = %s",
        [grant_id, account, connection_id],
    )
    if keeps:
        schedules.at_once(connection, connection_id)
    else:
        every(connection, connection_id, every_seconds, at_once=True)
    row = get(connection, connection_id)
    assert row is not None, "the caller has just made it"
    return row


def pause(connection: Connection, connection_id: str) -> None:
    """Sync it no more, until somebody resumes it. A job under way comes to its end."""
    health(connection, connection_id, "paused", "Somebody has paused it.", "Resume it.")


def resume(connection: Connection, connection_id: str) -> None:
    """Sync a paused connection again, from now on."""
    back = connection.execute(
        """
        UPDATE headrace.connections SET health = 'active', health_reason = NULL, health_hint = NULL
        WHERE connection_id = %s AND health = 'paused'
        """,
        [connection_id],
    )
    if back.rowcount:
        schedules.at_once(connection, connection_id)


def every(
    connection: Connection, connection_id: str, seconds: int | None, *, at_once: bool = False
) -> None:
    """How often it is synced; None: when somebody asks. Raises BadInput."""
    if seconds is None:
        schedules.disown(connection, connection_id)
    else:
        schedules.own(connection, connection_id, spec.every(seconds), at_once=at_once)


def owned(connection: Connection, row: ConnectionRow, owner: Owner) -> None:
    """Keep whose account it is: the addresses that tell sent from received. Raises NeedsHuman when
    it is another account than the one that was connected."""
    if row["account"] not in (None, owner.account):
        raise NeedsHuman(
            f"The connection {row['name']} is of {row['account']}, and its access now opens"
            f" {owner.account}.",
            hint="Connect that account as another connection, and this one again.",
            reauth=True,
        )
    if (owner.account, list(owner.addresses)) != (row["account"], row["addresses"]):
        connection.execute(
            "UPDATE headrace.connections SET account = %s, addresses = %s WHERE connection_id = %s",
            [owner.account, list(owner.addresses), row["connection_id"]],
        )


def get(connection: Connection, connection_id: str) -> ConnectionRow | None:
    """One connection's row by its id."""
    return connection.execute(
        "SELECT * FROM headrace.connections WHERE connection_id = %s", [connection_id]
    ).fetchone()


def called(connection: Connection, tenant: str, user: str, name: str) -> ConnectionRow | None:
    """A user's connection by its name."""
    return connection.execute(
        "SELECT * FROM headrace.connections WHERE tenant_id = %s AND user_id = %s AND name = %s",
        [tenant, user, name],
    ).fetchone()


def listing(connection: Connection, connection_id: str | None = None) -> list[ConnectionRow]:
    """Every connection this session may see, or one of them, with what has been landed of it."""
    values = {"connection": connection_id}
    return connection.execute(query("connections", "listing"), values).fetchall()


def health(
    connection: Connection, connection_id: str, state: str, reason: str = "", hint: str = ""
) -> None:
    """Say how a connection is: active, paused, needs_reauth or error. One that a person has paused
    stays so however a job under way ends: see `resume`. That one needs its owner, webhooks are told
    once."""
    changed = connection.execute(
        """
        UPDATE headrace.connections c
        SET health = %s, health_reason = NULLIF(%s, ''), health_hint = NULLIF(%s, ''),
            synced_at = CASE WHEN %s = 'active' THEN now() ELSE synced_at END
        FROM (SELECT health FROM headrace.connections WHERE connection_id = %s FOR UPDATE) held
        WHERE connection_id = %s AND (%s = 'paused' OR c.health <> 'paused')
        RETURNING c.*, held.health AS before
        """,
        [state, reason, hint, state, connection_id, connection_id, state],
    ).fetchone()
    if changed is not None and state == "needs_reauth" and changed["before"] != state:
        outbox.needs_reauth(connection, [changed])


def set_aside(connection: Connection, connection_id: str) -> None:
    """Do not sync a connection by itself before a day is over: its job has ended processes."""
    connection.execute(
        """
        UPDATE headrace.schedules SET next_at = greatest(next_at, now() + interval '1 day')
        WHERE connection_id = %s
        """,
        [connection_id],
    )


def expect(connection: Connection, stream_id: int, job_id: str, more: int) -> None:
    """How many records a job will have had of a stream: what it has landed, and this many more."""
    connection.execute(
        """
        UPDATE headrace.streams s SET total = %s + (
          SELECT coalesce(sum(fetched), 0) FROM headrace.batches b
          WHERE b.tenant_id = s.tenant_id AND b.stream_id = s.stream_id AND b.job_id = %s)
        WHERE stream_id = %s
        """,
        [more, job_id, stream_id],
    )


def plan(
    connection: Connection,
    owner: ConnectionRow,
    plans: Sequence[StreamPlan],
    *,
    beside: bool = False,
) -> list[Part]:
    """Make the streams and the checkpoints of their slices, or find them; in the plans' order. With
    `beside`, new ones are not shown while older ones of the connection are: see `show`."""
    keys = {
        "tenant": owner["tenant_id"],
        "user": owner["user_id"],
        "connection": owner["connection_id"],
        "beside": beside,
        "names": [one.name for one in plans],
        "contents": [one.content for one in plans],
        "totals": [one.total for one in plans],
        "owners": [one.name for one in plans for _ in one.slices],
        "slices": [slice_ for one in plans for slice_ in one.slices],
    }
    connection.execute(
        """
        INSERT INTO headrace.streams (tenant_id, user_id, connection_id, name, content, total, live)
        SELECT %(tenant)s, %(user)s, %(connection)s, name, content, total,
          NOT (%(beside)s AND EXISTS (SELECT FROM headrace.streams s WHERE s.live
            AND s.tenant_id = %(tenant)s AND s.connection_id = %(connection)s))
        FROM unnest(%(names)s::text[], %(contents)s::text[], %(totals)s::bigint[])
          AS p (name, content, total)
        ON CONFLICT (tenant_id, connection_id, name) DO UPDATE
        SET content = excluded.content, total = coalesce(excluded.total, headrace.streams.total)
        """,
        keys,
    )
    connection.execute(
        """
        INSERT INTO headrace.checkpoints (tenant_id, user_id, stream_id, slice)
        SELECT s.tenant_id, s.user_id, s.stream_id, p.slice
        FROM unnest(%(owners)s::text[], %(slices)s::text[]) AS p (name, slice)
        JOIN headrace.streams s ON s.tenant_id = %(tenant)s
          AND s.connection_id = %(connection)s AND s.name = p.name
        ON CONFLICT DO NOTHING
        """,
        keys,
    )
    rows = connection.execute(
        """
        SELECT s.stream_id, s.name AS stream, p.slice
        FROM unnest(%(owners)s::text[], %(slices)s::text[]) WITH ORDINALITY AS p (name, slice, at)
        JOIN headrace.streams s ON s.tenant_id = %(tenant)s
          AND s.connection_id = %(connection)s AND s.name = p.name
        ORDER BY p.at
        """,
        keys,
    ).fetchall()
    return [Part(**row) for row in rows]


_MADE_OF_FILES = ("documents", "chunks", "texts", "marks")


def show(connection: Connection, connection_id: str, job_id: str) -> None:
    """Show the streams that the job has walked to their end, and drop what was made of the older
    ones of the connection, which they were made beside."""
    keys = {"connection": connection_id, "job": job_id}
    old = connection.execute(
        """
        WITH walked AS (
          SELECT s.stream_id FROM headrace.streams s
          WHERE s.connection_id = %(connection)s AND NOT EXISTS (
            SELECT FROM headrace.checkpoints p WHERE p.tenant_id = s.tenant_id
              AND p.stream_id = s.stream_id AND p.done_by IS DISTINCT FROM %(job)s)
        )
        UPDATE headrace.streams s SET live = s.stream_id IN (TABLE walked)
        WHERE s.connection_id = %(connection)s AND live <> (s.stream_id IN (TABLE walked))
          AND EXISTS (TABLE walked)
        RETURNING s.stream_id, s.live
        """,
        keys,
    ).fetchall()
    gone = [row["stream_id"] for row in old if not row["live"]]
    for table in _MADE_OF_FILES if gone else ():
        connection.execute(
            SQL("DELETE FROM {} WHERE stream_id = ANY(%s)").format(Identifier("headrace", table)),
            [gone],
        )
