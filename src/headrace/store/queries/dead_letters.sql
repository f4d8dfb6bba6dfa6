-- Dead letters as people see and steer them. All of these run under row-level security, or name the
-- tenant themselves.

-- name: listing
-- Newest first, without the bytes.
SELECT d.dead_letter_id, d.stage, s.name AS stream, c.connection_id, c.name AS connection,
  d.source_id, d.version, d.batch_id, d.job_id, d.reason, d.hint, d.attempts, d.state,
  d.created_at, d.resolved_at, coalesce(octet_length(d.raw), 0) AS raw_bytes
FROM headrace.dead_letters d
LEFT JOIN headrace.streams s ON s.tenant_id = d.tenant_id AND s.stream_id = d.stream_id
LEFT JOIN headrace.connections c
  ON c.tenant_id = s.tenant_id AND c.connection_id = s.connection_id
WHERE (%(state)s::text IS NULL OR d.state = %(state)s)
  AND (%(stage)s::text IS NULL OR d.stage = %(stage)s)
  AND (%(stream)s::text IS NULL OR s.name = %(stream)s)
  AND (%(before)s::bigint IS NULL OR d.dead_letter_id < %(before)s)
ORDER BY d.dead_letter_id DESC LIMIT %(limit)s;

-- name: find
SELECT d.*, coalesce(octet_length(d.raw), 0) AS raw_bytes, s.name AS stream, c.connection_id,
  c.name AS connection
FROM headrace.dead_letters d
LEFT JOIN headrace.streams s ON s.tenant_id = d.tenant_id AND s.stream_id = d.stream_id
LEFT JOIN headrace.connections c
  ON c.tenant_id = s.tenant_id AND c.connection_id = s.connection_id
WHERE d.dead_letter_id = %(number)s;

-- name: drop
UPDATE headrace.dead_letters SET state = 'dropped', resolved_at = now()
WHERE dead_letter_id = %(number)s AND state = 'open';

-- name: drop_all
UPDATE headrace.dead_letters d SET state = 'dropped', resolved_at = now()
WHERE d.state = 'open' AND (%(stage)s::text IS NULL OR d.stage = %(stage)s)
  AND (%(stream)s::text IS NULL OR d.stream_id IN (
    SELECT s.stream_id FROM headrace.streams s
    WHERE s.tenant_id = d.tenant_id AND s.name = %(stream)s));

-- name: to_retry
-- What a redrive needs of one open letter: itself, and the source it came from.
SELECT d.*, s.name AS stream, s.content, c.provider, c.config
FROM headrace.dead_letters d
LEFT JOIN headrace.streams s ON s.tenant_id = d.tenant_id AND s.stream_id = d.stream_id
LEFT JOIN headrace.connections c
  ON c.tenant_id = s.tenant_id AND c.connection_id = s.connection_id
WHERE d.tenant_id = %(tenant)s AND (%(user)s::text IS NULL OR d.user_id = %(user)s)
  AND d.dead_letter_id = %(number)s;

-- name: open_after
SELECT d.dead_letter_id FROM headrace.dead_letters d
LEFT JOIN headrace.streams s ON s.tenant_id = d.tenant_id AND s.stream_id = d.stream_id
WHERE d.tenant_id = %(tenant)s AND (%(user)s::text IS NULL OR d.user_id = %(user)s)
  AND d.state = 'open' AND d.dead_letter_id > %(after)s
  AND (%(stage)s::text IS NULL OR d.stage = %(stage)s)
  AND (%(stream)s::text IS NULL OR s.name = %(stream)s)
ORDER BY d.dead_letter_id LIMIT 1000;

-- name: resolve
-- Done, unless somebody else has done it meanwhile: then their transaction stands, not this one.
UPDATE headrace.dead_letters SET state = 'retried', resolved_at = now(), attempts = attempts + 1
WHERE tenant_id = %(tenant)s AND dead_letter_id = %(number)s AND state = 'open';

-- name: still_dead
UPDATE headrace.dead_letters SET attempts = attempts + 1, reason = %(reason)s, hint = %(hint)s
WHERE tenant_id = %(tenant)s AND dead_letter_id = %(number)s AND state = 'open';

-- name: raw_event
SELECT batch_id, source_id, version, occurred_at, payload FROM headrace.raw_events
WHERE tenant_id = %(tenant)s AND stream_id = %(stream_id)s AND source_id = %(source_id)s
  AND version = %(version)s;

-- name: forget_stage_run
DELETE FROM headrace.stage_runs
WHERE tenant_id = %(tenant)s AND batch_id = %(batch_id)s AND stage = %(stage)s
  AND error IS NOT NULL;

-- name: attempts_of_stage
-- How often the engine was asked for this: the next attempt needs an id that it has not seen.
SELECT coalesce(max(split_part(workflow_uuid, ':', 5)::int), 0) AS attempts
FROM dbos.workflow_status
WHERE workflow_uuid LIKE 'stage:' || %(stage)s || ':' || %(version)s || ':' || %(batch_id)s || ':%%';

-- name: origin
-- Which slice and walk the batch of a dead letter belonged to.
SELECT slice, walk FROM headrace.batches
WHERE tenant_id = %(tenant)s AND batch_id = %(batch_id)s;

-- name: superseded
-- Whether the source has given the record anew since its dead letter was written: then the old
-- bytes must not come after the new ones.
SELECT 1 FROM headrace.raw_events
WHERE tenant_id = %(tenant)s AND stream_id = %(stream_id)s AND source_id = %(source_id)s
  AND batch_id > %(batch_id)s LIMIT 1;
