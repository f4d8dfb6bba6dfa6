"""Landing records that were dead letters: a batch of their own, and no checkpoint moves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from headrace.provider import Record
from headrace.store.database import Connection
from headrace.store.landing import FollowUp, Landed, merge
from headrace.store.sql import query

JOB_ID = "redrive"
"""What stands as job in such a batch."""
MEND_ID = "mend"
"""The same, where a person has mended the record."""

_MENDS = """
UPDATE headrace.raw_events SET mends = %(mends)s
WHERE tenant_id = %(tenant)s AND stream_id = %(stream_id)s AND source_id = %(source_id)s
  AND batch_id = %(batch_id)s
"""


def reland(
    connection: Connection,
    *,
    tenant: str,
    user: str,
    stream_id: int,
    origin: int | None,
    records: Sequence[Record],
    follow_up: FollowUp,
    mends: bytes | None = None,
) -> Landed:
    """Land records in the caller's transaction, with their follow-up work. `origin` is the batch
    that they were missing from; `mends` the hash of what a person has mended. Raises psycopg's
    UniqueViolation when another slice lands the same record this instant: then the transaction may
    be tried again."""
    keys: dict[str, Any] = {"tenant": tenant, "user": user, "stream_id": stream_id}
    keys |= {"job_id": JOB_ID if mends is None else MEND_ID, "slice": "", "walk": 1}
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
    ordered = any(one.mark is not None for one in records)
    inserted = merge(connection, keys, batch_id, records, ordered=ordered)
    for one in records if mends is not None else ():
        said = {**keys, "batch_id": batch_id, "source_id": one.source_id, "mends": mends}
        connection.execute(_MENDS, said)
    connection.execute(
        query("landing", "write_batch"),
        {
            **keys,
            "batch_id": batch_id,
            "epoch": held["epoch"] if held else 0,
            "pages": 0,
            "fetched": len(records),
            "inserted": inserted,
            "unchanged": len(records) - inserted,
            "dead_lettered": 0,
            "payload_bytes": sum(len(one.payload) for one in records),
            "cursor_before": None,
            "cursor_after": None,
            "cursor_hashes": b"",
        },
    )
    if inserted:
        follow_up(connection, batch_id)
    return Landed(batch_id, len(records), inserted, len(records) - inserted, 0)
