"""Deleting what was made of records that their source has deleted.

A tombstone is a version like any other: stages meet it in whatever order batches come. So rows are
deleted by the stage that meets the tombstone, and by any that writes an older version after it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from psycopg import sql

from headrace.stage import Row
from headrace.store.database import Connection

_HOLD = {
    # Stages that write do not wait for one another, only for one that deletes or changes.
    False: "SELECT forgets FROM headrace.streams"
    " WHERE tenant_id = %(tenant)s AND stream_id = %(stream_id)s FOR KEY SHARE",
    True: "SELECT forgets FROM headrace.streams"
    " WHERE tenant_id = %(tenant)s AND stream_id = %(stream_id)s FOR UPDATE",
}

_DELETE = sql.SQL(
    "DELETE FROM {} AS t USING unnest(%(ids)s::text[], %(versions)s::int[]) AS gone (id, version)"
    " WHERE t.tenant_id = %(tenant)s AND t.stream_id = %(stream_id)s AND t.source_id = gone.id"
    " AND t.version <= gone.version"
)

# Asked record by record, as in `store.renew`: a join looks through all the ids for every raw event.
_DELETE_LATE = sql.SQL(
    "DELETE FROM {} AS t WHERE t.tenant_id = %(tenant)s AND t.stream_id = %(stream_id)s"
    " AND t.source_id = ANY(%(ids)s::text[])"
    " AND (SELECT true FROM headrace.raw_events r"
    "  WHERE r.tenant_id = t.tenant_id AND r.stream_id = t.stream_id AND r.source_id = t.source_id"
    "  AND r.version > t.version AND r.content_hash = '' LIMIT 1)"
)

_LOOK_BACK = (
    "UPDATE headrace.streams SET forgets = true"
    " WHERE tenant_id = %(tenant)s AND stream_id = %(stream_id)s"
)


def hold(connection: Connection, keys: dict[str, Any], *, alone: bool) -> bool:
    """Hold the stream until the transaction ends, so that writing and deleting do not pass one
    another: together with others that write, or `alone`. Returns whether anything of it has ever
    been deleted, by its source or because a later version of it says nothing."""
    found = connection.execute(_HOLD[alone], keys).fetchone()
    return bool(found and found["forgets"])


def look_back(connection: Connection, keys: dict[str, Any]) -> None:
    """From now on, whoever writes for the stream looks whether a later version has taken away what
    it writes. For whoever holds the stream alone."""
    connection.execute(_LOOK_BACK, keys)


def forget(
    connection: Connection,
    made: Sequence[type[Row]],
    keys: dict[str, Any],
    gone: Sequence[tuple[str, int]],
) -> None:
    """Delete what was made of earlier versions of these: source ids, each with its version."""
    values = {
        **keys,
        "ids": [source_id for source_id, _ in gone],
        "versions": [version for _, version in gone],
    }
    for row in made if gone else ():
        connection.execute(_DELETE.format(sql.Identifier("headrace", row.table)), values)


def forget_late(
    connection: Connection, made: Sequence[type[Row]], keys: dict[str, Any], rows: Sequence[Row]
) -> None:
    """Delete of these rows, just written, those whose record has been deleted since."""
    values = {**keys, "ids": [one.source_id for one in rows]}
    for row in made if rows else ():
        connection.execute(_DELETE_LATE.format(sql.Identifier("headrace", row.table)), values)
