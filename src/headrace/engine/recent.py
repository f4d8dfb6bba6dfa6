"""What is new of each contact, counted every minute (A1.36): a page of many people is then one read
of a small table, whatever has been brought in."""

from __future__ import annotations

from headrace.store.database import Database

COUNT_SECONDS = 60.0

_LOCK = 0x4852_5245_4345_0001

# One worker is enough: the others find that it has just been done.
_MINE = """
SELECT pg_try_advisory_xact_lock(%s) AND NOT EXISTS (SELECT FROM headrace.recent_interactions
  WHERE counted_at > now() - make_interval(secs => %s)) AS mine
"""

_CLEAR = "DELETE FROM headrace.recent_interactions"

# By the tenant's index of times, so that it reads the last hours only. A meeting that is still to
# come is not new.
_COUNT = """
INSERT INTO headrace.recent_interactions (tenant_id, user_id, contact_id, interactions, received,
  sent, occurred_at, stream_id, source_id, counted_at)
SELECT tenant_id, min(user_id), contact_id, count(*), count(*) FILTER (WHERE direction = 'inbound'),
  count(*) FILTER (WHERE direction = 'outbound'), max(occurred_at),
  (array_agg(stream_id ORDER BY occurred_at DESC, stream_id, source_id))[1],
  (array_agg(source_id ORDER BY occurred_at DESC, stream_id, source_id))[1], now()
FROM (
  SELECT DISTINCT new.*, c.contact_id
  FROM (SELECT DISTINCT tenant_id AS tenant FROM headrace.connections) t
  CROSS JOIN LATERAL (
    SELECT i.tenant_id, i.user_id, i.stream_id, i.source_id, i.occurred_at, i.direction
    FROM headrace.interactions i WHERE i.tenant_id = t.tenant
      AND i.occurred_at > now() - make_interval(hours => %s) AND i.occurred_at <= now()
  ) AS new
  JOIN headrace.participants p USING (tenant_id, stream_id, source_id)
  JOIN headrace.contact_identities c USING (tenant_id, identity_id)
  WHERE c.contact_id IS NOT NULL
) AS took_part
GROUP BY tenant_id, contact_id
"""


def count(database: Database, hours: int, *, at_least: float = COUNT_SECONDS * 0.8) -> int:
    """Count anew, unless somebody has within `at_least` seconds; how many contacts there are."""
    with database.transaction() as connection:
        row = connection.execute(_MINE, [_LOCK, at_least]).fetchone()
        if not (row and row["mine"]):
            return 0
        connection.execute(_CLEAR)
        return connection.execute(_COUNT, [hours]).rowcount
