"""The queues as others see them: how much waits, how long, and whether anybody is there."""

from __future__ import annotations

from headrace.engine.queues import QUEUES
from headrace.engine.takeover import SPACE
from headrace.engine.waiting import MOST, Waiting, look
from headrace.store.database import Connection

__all__ = ["MOST", "QUEUES", "Waiting", "look", "workers_alive"]

# A worker lives while it holds the lock of its slot: see `engine.takeover`.
_ALIVE = """
SELECT count(*) AS alive FROM headrace.workers w
JOIN pg_locks h ON h.locktype = 'advisory' AND h.classid = %(space)s AND h.objid = w.slot
  AND h.granted AND h.database = (SELECT oid FROM pg_database WHERE datname = current_database())
WHERE w.dead_at IS NULL
"""


def workers_alive(connection: Connection) -> int:
    """How many processes run jobs now."""
    row = connection.execute(_ALIVE, {"space": SPACE}).fetchone()
    return int(row["alive"]) if row else 0
