"""Syncing what is due: each connection as often as it is to be (A0.5, A0.22).

The schedule only enqueues. When a connection is due stands in its row, and whoever finds it due
moves that and makes the job in one transaction, so that any number of workers make one job. A
connection whose job is still under way is not given another, and one that was due while nobody
looked is synced once, not as often as was missed. One that cannot be given any says why.
"""

from __future__ import annotations

from headrace import telemetry
from headrace.engine.offers import ask_for
from headrace.errors import HeadraceError
from headrace.plugins import provider
from headrace.store import connections
from headrace.store.connections import ConnectionRow
from headrace.store.database import Database

DUE = """
EXISTS (SELECT FROM headrace.connections WHERE every_seconds IS NOT NULL
  AND health IN ('active', 'error') AND next_sync_at <= now())
"""
"""Asked with everything else: see `engine.dispatch`."""

# Spread by a tenth, so that those that were connected together drift apart.
_DUE = """
UPDATE headrace.connections c
SET next_sync_at = now() + make_interval(secs => every_seconds * (0.95 + 0.1 * random()))
FROM (
  SELECT tenant_id, connection_id FROM headrace.connections
  WHERE every_seconds IS NOT NULL AND health IN ('active', 'error') AND next_sync_at <= now()
  ORDER BY next_sync_at LIMIT 100 FOR UPDATE SKIP LOCKED
) due
WHERE c.tenant_id = due.tenant_id AND c.connection_id = due.connection_id
RETURNING c.*
"""


def enqueue_due(database: Database) -> int:
    """Make the jobs of up to a hundred connections that are due; how many there were."""
    with database.transaction() as connection:
        rows = connection.execute(_DUE).fetchall()
        wanted: list[tuple[ConnectionRow, str]] = []
        for row in rows:
            try:
                wanted.append((row, provider(row["provider"]).kind))
            except HeadraceError as error:
                said = (error.message, error.hint)
                connections.health(connection, row["connection_id"], "error", *said)
        if wanted:
            ask_for(connection, wanted)
    if rows:
        telemetry.scheduled(len(rows))
    return len(rows)


def catch_up(database: Database) -> None:
    """Make the jobs of everything that is due."""
    while enqueue_due(database):
        pass
