-- Replays: which batches they walk, and how far they are. {scope} is put in by `engine.replay`.

-- name: scope
-- A batch belongs to a span of time when a record of it does: by its own time, or else by when it
-- was landed.
FROM headrace.batches b
JOIN headrace.streams s ON s.tenant_id = b.tenant_id AND s.stream_id = b.stream_id
JOIN headrace.connections c ON c.tenant_id = s.tenant_id AND c.connection_id = s.connection_id
WHERE b.tenant_id = %(tenant)s AND b.inserted > 0
  AND (%(user)s::text IS NULL OR b.user_id = %(user)s)
  AND (%(providers)s::text[] IS NULL OR c.provider = ANY(%(providers)s))
  AND (%(connection)s::text IS NULL OR c.connection_id = %(connection)s)
  AND s.content = ANY(%(contents)s::text[])
  AND (%(since)s::timestamptz IS NULL OR EXISTS (SELECT FROM headrace.raw_events r
    WHERE r.batch_id = b.batch_id AND r.tenant_id = b.tenant_id
      AND coalesce(r.occurred_at, b.committed_at) >= %(since)s));

-- name: size
SELECT count(*) AS batches, coalesce(max(b.batch_id), 0) AS until {scope};

-- name: next
SELECT b.batch_id, b.inserted, s.content {scope}
  AND b.batch_id > %(after)s AND b.batch_id <= %(until)s
ORDER BY b.batch_id LIMIT %(limit)s;

-- name: under_way
SELECT * FROM headrace.jobs
WHERE tenant_id = %(tenant)s AND kind = %(kind)s
  AND payload - 'since' = %(payload)s - 'since'
  AND status IN ('PENDING', 'RUNNING')
ORDER BY created_at LIMIT 1;

-- name: to_do
-- How many batches each stage has before it, in its present version or a newer one.
SELECT n.stage, n.version, n.content, count(b.batch_id) AS of, count(r.batch_id) AS done
FROM unnest(%(stages)s::text[], %(versions)s::int[], %(contents)s::text[], %(depths)s::int[])
  AS n (stage, version, content, depth)
LEFT JOIN headrace.streams s ON s.content = n.content
LEFT JOIN headrace.batches b ON b.tenant_id = s.tenant_id AND b.stream_id = s.stream_id
  AND b.inserted > 0
LEFT JOIN LATERAL (SELECT r.batch_id FROM headrace.stage_runs r WHERE r.tenant_id = b.tenant_id
  AND r.batch_id = b.batch_id AND r.stage = n.stage AND r.version >= n.version LIMIT 1) r ON true
GROUP BY n.stage, n.version, n.content, n.depth ORDER BY n.content, n.depth;
