-- What is done again and again. All times are the database's own.

-- name: due
-- Whoever holds a row fires it; the others take the ones after it.
SELECT s.*, c.provider, c.health, now() AS now
FROM headrace.schedules s
LEFT JOIN headrace.connections c USING (tenant_id, connection_id)
WHERE NOT s.paused AND s.next_at <= now()
ORDER BY s.next_at LIMIT %(limit)s FOR UPDATE OF s SKIP LOCKED;

-- name: move
UPDATE headrace.schedules s
SET next_at = m.next_at, last_at = m.last_at, every_seconds = m.every_seconds,
    history = m.history, left_out = m.left_out, last_error = m.error, hint = m.hint,
    last_job_id = coalesce(m.job_id, s.last_job_id)
FROM unnest(%(tenants)s::text[], %(ids)s::text[], %(nexts)s::timestamptz[],
    %(lasts)s::timestamptz[], %(everys)s::int[], %(histories)s::jsonb[], %(left_outs)s::int[],
    %(errors)s::text[], %(hints)s::text[], %(jobs)s::text[])
  AS m (tenant_id, schedule_id, next_at, last_at, every_seconds, history, left_out, error, hint,
    job_id)
WHERE s.tenant_id = m.tenant_id AND s.schedule_id = m.schedule_id;

-- name: looks
-- Which of these jobs are over, and whether they found something new.
SELECT j.job_id, coalesce(bool_or(b.inserted > 0), false) AS news
FROM headrace.jobs j
LEFT JOIN headrace.batches b ON b.tenant_id = j.tenant_id AND b.job_id = j.job_id
WHERE j.job_id = ANY(%(jobs)s) AND j.landed_at IS NOT NULL
GROUP BY j.job_id;

-- name: sources
-- The connections of a tenant, or of one of its users, that can be synced.
SELECT * FROM headrace.connections
WHERE tenant_id = %(tenant)s AND (%(user)s::text IS NULL OR user_id = %(user)s)
  AND (%(provider)s::text IS NULL OR provider = %(provider)s)
  AND health IN ('active', 'error')
ORDER BY connection_id;

-- name: add
INSERT INTO headrace.schedules (tenant_id, schedule_id, user_id, name, kind, connection_id,
  key_user, payload, spec, timezone, jitter, missed, paused, every_seconds, next_at)
VALUES (%(tenant)s, %(id)s, %(user)s, %(name)s, %(kind)s, %(connection)s, %(key_user)s,
  %(payload)s, %(spec)s, %(timezone)s, %(jitter)s, %(missed)s, %(paused)s, %(every)s, %(next)s)
ON CONFLICT (tenant_id, connection_id) WHERE connection_id IS NOT NULL DO NOTHING
RETURNING *;

-- name: change
UPDATE headrace.schedules
SET name = %(name)s, payload = %(payload)s, spec = %(spec)s, timezone = %(timezone)s,
    jitter = %(jitter)s, missed = %(missed)s, paused = %(paused)s, every_seconds = %(every)s,
    next_at = %(next)s, last_error = NULL, hint = NULL, left_out = 0
WHERE schedule_id = %(id)s;

-- name: own
-- A connection's own cadence, new or another than before.
INSERT INTO headrace.schedules AS s (tenant_id, schedule_id, user_id, kind, connection_id, spec,
  every_seconds, next_at)
SELECT tenant_id, %(id)s, user_id, 'sync', connection_id, %(spec)s, %(every)s, %(next)s
FROM headrace.connections WHERE connection_id = %(connection)s
ON CONFLICT (tenant_id, connection_id) WHERE connection_id IS NOT NULL DO UPDATE
SET spec = excluded.spec, timezone = excluded.timezone, every_seconds = excluded.every_seconds,
    next_at = excluded.next_at, paused = false;

-- name: listing
SELECT s.*, c.name AS connection FROM headrace.schedules s
LEFT JOIN headrace.connections c USING (tenant_id, connection_id)
WHERE (%(named)s::text IS NULL OR %(named)s IN (s.schedule_id, s.name, c.name))
  AND (%(at)s::timestamptz IS NULL OR (s.created_at, s.schedule_id) > (%(at)s, %(id)s))
ORDER BY s.schedule_id = %(named)s DESC, s.created_at, s.schedule_id LIMIT %(limit)s;
