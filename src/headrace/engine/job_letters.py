"""Jobs that have failed are dead letters too: one a connection and reason, however many jobs fail.

It is over when the job is retried, or a later one of the same connection succeeds.
"""

from __future__ import annotations

from typing import Any

from headrace.store.database import Connection
from headrace.store.dead_letters import entry
from headrace.store.sql import query

_SAID = {"FAILED": ("job_failed", "failed"), "SUCCEEDED": ("job_succeeded", "succeeded")}


def keep(connection: Connection, row: dict[str, Any]) -> None:
    """Write, or end, the letter of a job that is over, in the transaction that ends it."""
    if row["status"] not in _SAID:
        return
    name, what = _SAID[row["status"]]
    of = row["connection_id"]
    values = {
        **{one: row[one] for one in ("tenant_id", "user_id", "job_id")},
        "source_id": f"job/{row['job_id']}" if of is None else f"connection/{of}",
        "reason": row["last_error"] or "It failed without saying why.",
        "hint": row["hint"] or "",
        "entry": entry(what),
    }
    connection.execute(query("dead_letters", name), values)
