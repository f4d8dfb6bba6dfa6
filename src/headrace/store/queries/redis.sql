-- Between PostgreSQL and the streams of a Redis.

-- name: owners_connections
-- The connections that entries mean: all of the user's at the provider but those that somebody has
-- paused, or the one that is named.
SELECT w.n, c.tenant_id, c.user_id, c.connection_id
FROM unnest(%(numbers)s::int[], %(tenants)s::text[], %(users)s::text[], %(providers)s::text[])
  AS w (n, tenant, owner, provider)
JOIN headrace.connections c ON c.tenant_id = w.tenant AND c.user_id = w.owner
  AND c.provider = w.provider AND c.health <> 'paused'
ORDER BY w.n, c.connection_id;

-- name: named_connections
SELECT w.n, c.tenant_id, c.user_id, c.connection_id
FROM unnest(%(numbers)s::int[], %(tenants)s::text[], %(users)s::text[], %(providers)s::text[],
    %(connections)s::text[]) AS w (n, tenant, owner, provider, connection)
JOIN headrace.connections c ON c.tenant_id = w.tenant AND c.connection_id = w.connection
  AND c.provider = w.provider AND (w.owner IS NULL OR c.user_id = w.owner)
ORDER BY w.n;

-- name: take
-- Entries that have not been taken before. In order, so that two who take the same wait and do not
-- deadlock: the second one finds them taken.
INSERT INTO headrace.redis_entries (tenant_id, user_id, entry_id, digest)
SELECT tenant, owner, entry, digest
FROM unnest(%(tenants)s::text[], %(users)s::text[], %(entries)s::text[], %(digests)s::bytea[])
  AS taken (tenant, owner, entry, digest)
ORDER BY tenant, entry, digest
ON CONFLICT DO NOTHING
RETURNING entry_id, digest;

-- name: make
-- Jobs for these connections, in the order of their entries; one that has an active job gets no
-- other, whoever asks. The schedule says of its own that they are its own.
INSERT INTO headrace.jobs (tenant_id, user_id, job_id, kind, connection_id, payload, priority, lane,
  idempotency_key)
SELECT tenant, owner, gen_random_uuid()::text, kind, connection, payload, priority,
  CASE WHEN payload @> '{"scheduled": true}' THEN 'incremental' ELSE 'interactive' END, key
FROM unnest(%(tenants)s::text[], %(users)s::text[], %(kinds)s::text[], %(connections)s::text[],
    %(payloads)s::jsonb[], %(priorities)s::text[], %(keys)s::text[]) WITH ORDINALITY
  AS wanted (tenant, owner, kind, connection, payload, priority, key, n)
ORDER BY tenant, connection, n
ON CONFLICT DO NOTHING
RETURNING *;

-- name: active
-- The job under way of each of these connections, or that which the same entry has made before: it
-- may be known for longer than the entry itself.
SELECT w.connection AS connection_id, j.job_id
FROM unnest(%(tenants)s::text[], %(connections)s::text[]) AS w (tenant, connection)
JOIN headrace.jobs j ON j.tenant_id = w.tenant AND j.connection_id = w.connection
WHERE j.status IN ('PENDING', 'RUNNING') AND NOT j.waits
UNION ALL
SELECT w.connection, j.job_id
FROM unnest(%(tenants)s::text[], %(users)s::text[], %(connections)s::text[], %(keys)s::text[])
  AS w (tenant, owner, connection, key)
JOIN headrace.jobs j ON j.tenant_id = w.tenant AND j.user_id = w.owner
  AND j.idempotency_key = w.key;

-- name: answered
-- Which jobs entries were answered by.
UPDATE headrace.redis_entries e SET job_ids = string_to_array(w.jobs, ',')
FROM unnest(%(tenants)s::text[], %(entries)s::text[], %(digests)s::bytea[], %(jobs)s::text[])
  AS w (tenant, entry, digest, jobs)
WHERE e.tenant_id = w.tenant AND e.entry_id = w.entry AND e.digest = w.digest;

-- name: arrived
-- What the schedule asked for through the stream has come out of it, or is under way anyhow.
DELETE FROM headrace.redis_offers o USING unnest(%(tenants)s::text[], %(connections)s::text[])
  AS w (tenant, connection)
WHERE o.tenant_id = w.tenant AND o.connection_id = w.connection;

-- name: offer
INSERT INTO headrace.redis_offers AS o (tenant_id, user_id, connection_id, kind)
SELECT tenant, owner, connection, kind
FROM unnest(%(tenants)s::text[], %(users)s::text[], %(connections)s::text[], %(kinds)s::text[])
  AS w (tenant, owner, connection, kind)
ORDER BY tenant, connection
ON CONFLICT (tenant_id, connection_id) DO UPDATE SET kind = excluded.kind, offered_at = now();

-- name: overdue
-- What the stream has not brought in time. A connection that was paused meanwhile stays so.
WITH late AS (
  DELETE FROM headrace.redis_offers
  WHERE (tenant_id, connection_id) IN (
    SELECT tenant_id, connection_id FROM headrace.redis_offers
    WHERE offered_at < now() - %(seconds)s * interval '1 second'
    ORDER BY offered_at LIMIT 1000 FOR UPDATE SKIP LOCKED)
  RETURNING *)
SELECT l.kind, c.* FROM late l
JOIN headrace.connections c USING (tenant_id, connection_id)
WHERE c.health IN ('active', 'error');

-- name: name_server
INSERT INTO headrace.redis_servers AS s (tenant_id, user_id, address)
VALUES ('default', '', %(address)s)
ON CONFLICT (tenant_id, address) DO UPDATE SET named_at = now();

-- name: note_completions
-- Only where there is a Redis to be told, or was one not long ago.
INSERT INTO headrace.redis_completions (tenant_id, user_id, job_id, turn)
SELECT * FROM unnest(%(tenants)s::text[], %(users)s::text[], %(job_ids)s::text[], %(turns)s::int[])
WHERE EXISTS (SELECT FROM headrace.redis_servers WHERE named_at > now() - %(days)s * interval '1 day');

-- name: any_untold
SELECT EXISTS (SELECT FROM headrace.redis_completions) AS some;

-- name: untold
-- A job that was taken up again meanwhile has not ended, and its end will be noted. What somebody
-- else is telling is skipped. Entries that asked for the same while it was under way are many at
-- times: a hundred are named.
SELECT c.number, j.*, e.entries
FROM headrace.redis_completions c
LEFT JOIN headrace.jobs j ON j.tenant_id = c.tenant_id AND j.job_id = c.job_id
  AND j.turn = c.turn AND j.completed_at IS NOT NULL
LEFT JOIN LATERAL (SELECT array_agg(entry_id) AS entries FROM (
  SELECT entry_id FROM headrace.redis_entries r WHERE r.job_ids @> ARRAY[c.job_id]
  ORDER BY taken_at, entry_id LIMIT 100) first) e ON true
ORDER BY c.number LIMIT %(limit)s FOR UPDATE OF c SKIP LOCKED;

-- name: told
DELETE FROM headrace.redis_completions WHERE number = ANY(%(numbers)s);

-- name: forget_entries
DELETE FROM headrace.redis_entries WHERE taken_at < now() - %(days)s * interval '1 day';

-- name: forget_completions
DELETE FROM headrace.redis_completions WHERE noted_at < now() - %(days)s * interval '1 day';
