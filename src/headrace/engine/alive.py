"""How many work: a worker lives while it holds the lock of its slot, see `engine.takeover`."""

from __future__ import annotations

from headrace.engine.takeover import SPACE
from headrace.store.database import Connection

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
