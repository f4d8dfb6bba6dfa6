-- Connections.

-- name: listing
-- What was landed is added up over slices, not over batches: a connection may have a million.
SELECT c.*, coalesce(l.batches, 0)::bigint AS batches, coalesce(l.records, 0)::bigint AS records,
  l.landed_at, h.spec AS schedule, h.every_seconds, h.next_at AS next_sync_at
FROM headrace.connections c
LEFT JOIN (
  SELECT tenant_id, connection_id, max(spec) AS spec, max(every_seconds) AS every_seconds,
    max(next_at) FILTER (WHERE NOT paused) AS next_at
  FROM headrace.schedules WHERE connection_id IS NOT NULL GROUP BY tenant_id, connection_id
) h USING (tenant_id, connection_id)
LEFT JOIN (
  SELECT s.tenant_id, s.connection_id, sum(k.batches) AS batches, sum(k.records) AS records,
    max(k.landed_at) AS landed_at
  FROM headrace.streams s JOIN headrace.checkpoints k USING (tenant_id, stream_id)
  GROUP BY s.tenant_id, s.connection_id
) l USING (tenant_id, connection_id)
WHERE %(connection)s::text IS NULL OR c.connection_id = %(connection)s
ORDER BY c.name;
