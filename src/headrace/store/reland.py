"""Landing one record that was a dead letter: a batch of its own, and no checkpoint moves."""

from __future__ import annotations

from typing import Any

from headrace.provider import Record
from headrace.store.database import Connection
from headrace.store.landing import FollowUp, Landed, merge
from headrace.store.sql import query

JOB_ID = "redrive"
"""What stands as job in such a batch."""


def reland(
    connection: Connection,
    *,
    tenant: str,
    user: str,
    stream_id: int,
    origin: int | None,
    record: Record,
    follow_up: FollowUp,
) -> Landed:
    """Land one record in the caller's transaction, with its follow-up work. `origin` is the batch
    that it was missing from. Raises psycopg's UniqueViolation when another slice lands the same
    record this instant: then the transaction may be tried again."""
    keys: dict[str, Any] = {"tenant": tenant, "user": user, "stream_id": stream_id}
    keys |= {"job_id": JOB_ID, "slice": "", "walk": 1}
    keys |= (
        connection.execute(
            query("dead_letters", "origin"), {"tenant": tenant, "batch_id": origin}
        ).fetchone()
        or {}
    )
    # The same lock that landing takes: the slice's own walk waits, or is waited for.
    held = connection.execute(query("landing", "lock_checkpoint"), keys).fetchone()
    drawn = connection.execute(query("landing", "lock_job"), keys).fetchone()
    assert drawn is not None, "a SELECT without FROM answers"
    batch_id = int(drawn["batch_id"])
    inserted = merge(connection, keys, batch_id, [record], ordered=record.mark is not None)
    connection.execute(
        query("landing", "write_batch"),
        {
            **keys,
            "batch_id": batch_id,
            "epoch": held["epoch"] if held else 0,
            "pages": 0,
            "fetched": 1,
            "inserted": inserted,
            "unchanged": 1 - inserted,
            "dead_lettered": 0,
            "payload_bytes": len(record.payload),
            "cursor_before": None,
            "cursor_after": None,
            "cursor_hashes": b"",
        },
    )
    if inserted:
        follow_up(connection, batch_id)
    return Landed(batch_id, 1, inserted, 1 - inserted, 0)
