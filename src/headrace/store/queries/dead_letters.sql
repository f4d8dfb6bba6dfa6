-- Dead letters as people see and steer them. All of these run under row-level security, or name the
-- tenant themselves. {scope} is put in by `store.dead_letters`.

-- name: scope
-- Which letters are meant. That of a job names its connection in the place of a record.
FROM headrace.dead_letters d
LEFT JOIN headrace.streams s ON s.tenant_id = d.tenant_id AND s.stream_id = d.stream_id
LEFT JOIN headrace.connections c ON c.tenant_id = d.tenant_id AND c.connection_id =
  coalesce(s.connection_id, CASE WHEN d.level = 'job' THEN split_part(d.source_id, '/', 2) END)
WHERE (%(tenant)s::text IS NULL OR d.tenant_id = %(tenant)s)
  AND (%(user)s::text IS NULL OR d.user_id = %(user)s)
  AND (%(state)s::text IS NULL OR d.state = %(state)s)
  AND (%(level)s::text IS NULL OR d.level = %(level)s)
  AND (%(stage)s::text IS NULL OR d.stage = %(stage)s)
  AND (%(stream)s::text IS NULL OR s.name = %(stream)s)
  AND (%(provider)s::text IS NULL OR c.provider = %(provider)s)
  AND (%(connection)s::text IS NULL OR %(connection)s IN (c.connection_id, c.name))
  AND (%(source_id)s::text IS NULL OR d.source_id = %(source_id)s)
  AND (%(reason)s::text IS NULL OR d.reason ILIKE %(reason)s)
  AND (%(since)s::timestamptz IS NULL OR d.last_at >= %(since)s)

-- name: listing
-- Newest first, without the bytes.
SELECT d.dead_letter_id, d.level, d.stage, s.name AS stream, c.connection_id,
  c.name AS connection, c.provider, d.source_id, d.version, d.batch_id, d.job_id, d.reason,
  d.reason_group, d.hint, d.attempts, d.state, d.created_at, d.last_at, d.resolved_at,
  coalesce(octet_length(d.raw), 0) AS raw_bytes, d.mended IS NOT NULL AS is_mended
{scope}
  AND (%(before)s::bigint IS NULL OR d.dead_letter_id < %(before)s)
ORDER BY d.dead_letter_id DESC LIMIT %(limit)s;

-- name: find
-- With the bytes: its own, or those of the raw event that it points to.
SELECT d.*, d.mended IS NOT NULL AS is_mended, s.name AS stream, c.connection_id,
  c.name AS connection, c.provider,
  coalesce(CASE WHEN d.version IS NULL THEN d.raw ELSE r.payload END, d.raw) AS raw,
  coalesce(octet_length(CASE WHEN d.version IS NULL THEN d.raw ELSE r.payload END), 0) AS raw_bytes
FROM headrace.dead_letters d
LEFT JOIN headrace.streams s ON s.tenant_id = d.tenant_id AND s.stream_id = d.stream_id
LEFT JOIN headrace.connections c ON c.tenant_id = d.tenant_id AND c.connection_id =
  coalesce(s.connection_id, CASE WHEN d.level = 'job' THEN split_part(d.source_id, '/', 2) END)
LEFT JOIN headrace.raw_events r ON r.stream_id = d.stream_id AND r.source_id = d.source_id
  AND r.version = d.version AND r.tenant_id = d.tenant_id
WHERE d.dead_letter_id = %(number)s;

-- name: counts
-- By reason, without what is other in each of them; the largest first.
SELECT d.reason_group AS reason, d.level, d.stage, count(*) AS letters,
  min(d.created_at) AS oldest, max(d.last_at) AS newest, max(d.dead_letter_id) AS example
{scope}
GROUP BY d.reason_group, d.level, d.stage ORDER BY letters DESC, reason, stage LIMIT %(limit)s;

-- name: how_many
SELECT count(*) AS letters, coalesce(max(d.dead_letter_id), 0) AS until {scope};

-- name: export
-- Some letters with their bytes, from a number on: as many as have sixteen megabytes, or one.
SELECT * FROM (
  SELECT page.*, sum(raw_bytes) OVER (ORDER BY dead_letter_id) AS so_far,
    row_number() OVER (ORDER BY dead_letter_id) AS row
  FROM (
    SELECT d.dead_letter_id, d.level, d.stage, s.name AS stream, c.connection_id,
      c.name AS connection, c.provider, d.source_id, d.version, d.batch_id, d.job_id, d.reason,
      d.hint, d.attempts, d.state, d.created_at, d.last_at, d.resolved_at, d.history,
      d.stream_id, d.tenant_id,
      coalesce(octet_length(d.raw), 0) + coalesce((SELECT octet_length(r.payload)
        FROM headrace.raw_events r WHERE r.stream_id = d.stream_id AND r.source_id = d.source_id
          AND r.version = d.version AND r.tenant_id = d.tenant_id), 0) AS raw_bytes
    {scope} AND d.dead_letter_id > %(after)s
    ORDER BY d.dead_letter_id LIMIT %(limit)s
  ) page
) sized WHERE row = 1 OR so_far <= 16777216 ORDER BY dead_letter_id;

-- name: bytes
SELECT d.dead_letter_id, d.mended,
  coalesce(CASE WHEN d.version IS NULL THEN d.raw ELSE r.payload END, d.raw) AS raw
FROM headrace.dead_letters d
LEFT JOIN headrace.raw_events r ON r.stream_id = d.stream_id AND r.source_id = d.source_id
  AND r.version = d.version AND r.tenant_id = d.tenant_id
WHERE d.dead_letter_id = ANY(%(numbers)s::bigint[]);

-- name: drop
UPDATE headrace.dead_letters SET state = 'dropped', resolved_at = now(),
  history = headrace.told(history, %(entry)s::jsonb || jsonb_build_object('at', now()))
WHERE dead_letter_id = %(number)s AND state = 'open';

-- name: drop_all
-- As many as one transaction should hold.
UPDATE headrace.dead_letters t SET state = 'dropped', resolved_at = now(),
  history = headrace.told(history, %(entry)s::jsonb || jsonb_build_object('at', now()))
WHERE t.state = 'open' AND t.dead_letter_id = ANY(ARRAY(
  SELECT d.dead_letter_id {scope} ORDER BY d.dead_letter_id LIMIT %(limit)s));

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
SELECT d.dead_letter_id, d.level, d.stage, d.stream_id, d.batch_id, d.version, d.reason
{scope} AND d.dead_letter_id > %(after)s ORDER BY d.dead_letter_id LIMIT %(limit)s;

-- name: many_to_retry
-- Letters of one batch and stage, with the raw events that they point to.
SELECT d.dead_letter_id, d.stage, d.batch_id, r.source_id, r.version, r.occurred_at, r.payload
FROM headrace.dead_letters d
JOIN headrace.raw_events r ON r.stream_id = d.stream_id AND r.source_id = d.source_id
  AND r.version = d.version AND r.tenant_id = d.tenant_id
WHERE d.tenant_id = %(tenant)s AND d.dead_letter_id = ANY(%(numbers)s::bigint[])
  AND d.state = 'open'
ORDER BY r.source_id, r.version;

-- name: many_to_land
SELECT d.*, s.name AS stream, s.content, c.provider, c.config,
  d.source_id IS NOT NULL AND EXISTS (SELECT FROM headrace.raw_events r
    WHERE r.tenant_id = d.tenant_id AND r.stream_id = d.stream_id AND r.source_id = d.source_id
      AND r.batch_id > coalesce(d.batch_id, 0)) AS superseded
FROM headrace.dead_letters d
JOIN headrace.streams s ON s.tenant_id = d.tenant_id AND s.stream_id = d.stream_id
JOIN headrace.connections c
  ON c.tenant_id = s.tenant_id AND c.connection_id = s.connection_id
WHERE d.tenant_id = %(tenant)s AND d.dead_letter_id = ANY(%(numbers)s::bigint[])
  AND d.state = 'open'
ORDER BY d.dead_letter_id;

-- name: resolve
-- Done, unless somebody else has done it meanwhile: then their transaction stands, not this one.
UPDATE headrace.dead_letters SET state = 'retried', resolved_at = now(), last_at = now(),
  attempts = attempts + 1, mended = coalesce(%(mended)s, mended),
  history = headrace.told(history, %(entry)s::jsonb || jsonb_build_object('at', now()))
WHERE tenant_id = %(tenant)s AND dead_letter_id = %(number)s AND state = 'open';

-- name: resolve_many
UPDATE headrace.dead_letters SET state = 'retried', resolved_at = now(), last_at = now(),
  attempts = attempts + 1,
  history = headrace.told(history, %(entry)s::jsonb || jsonb_build_object('at', now()))
WHERE tenant_id = %(tenant)s AND dead_letter_id = ANY(%(numbers)s::bigint[]) AND state = 'open';

-- name: still_dead
UPDATE headrace.dead_letters SET attempts = attempts + 1, reason = %(reason)s, hint = %(hint)s,
  last_at = now(), history = headrace.told(history, %(entry)s::jsonb
    || jsonb_build_object('at', now(), 'reason', left(%(reason)s::text, 500)))
WHERE tenant_id = %(tenant)s AND dead_letter_id = %(number)s AND state = 'open';

-- name: many_still_dead
UPDATE headrace.dead_letters d SET attempts = d.attempts + 1, reason = said.reason,
  hint = said.hint, last_at = now(), history = headrace.told(d.history, %(entry)s::jsonb
    || jsonb_build_object('at', now(), 'reason', left(said.reason, 500)))
FROM unnest(%(numbers)s::bigint[], %(reasons)s::text[], %(hints)s::text[])
  AS said (number, reason, hint)
WHERE d.tenant_id = %(tenant)s AND d.dead_letter_id = said.number AND d.state = 'open';

-- name: job_failed
-- What fails of one connection, for one reason, is one letter, however many of its jobs do.
INSERT INTO headrace.dead_letters AS d (tenant_id, user_id, job_id, stage, source_id, content_hash,
  reason, hint, history)
VALUES (%(tenant_id)s, %(user_id)s, %(job_id)s, 'job', %(source_id)s,
  decode(md5(headrace.reason_group(%(reason)s)), 'hex'), %(reason)s, %(hint)s,
  jsonb_build_array(%(entry)s::jsonb || jsonb_build_object('at', now())))
ON CONFLICT (tenant_id, stream_id, stage, source_id, version, content_hash) DO UPDATE
SET attempts = d.attempts + 1, job_id = excluded.job_id, reason = excluded.reason,
    hint = excluded.hint, state = 'open', resolved_at = NULL, last_at = now(),
    history = headrace.told(d.history, excluded.history -> 0);

-- name: job_succeeded
UPDATE headrace.dead_letters SET state = 'retried', resolved_at = now(), last_at = now(),
  history = headrace.told(history, %(entry)s::jsonb || jsonb_build_object('at', now()))
WHERE tenant_id = %(tenant_id)s AND stream_id IS NULL AND stage = 'job'
  AND source_id = %(source_id)s AND state = 'open';

-- name: raw_event
SELECT batch_id, source_id, version, occurred_at, payload FROM headrace.raw_events
WHERE tenant_id = %(tenant)s AND stream_id = %(stream_id)s AND source_id = %(source_id)s
  AND version = %(version)s;

-- name: sent
-- What the source had sent, of a version that may be a mended one.
SELECT coalesce(mends, content_hash) AS sent FROM headrace.raw_events
WHERE tenant_id = %(tenant)s AND stream_id = %(stream_id)s AND source_id = %(source_id)s
  AND version = %(version)s;

-- name: forget_stage_run
DELETE FROM headrace.stage_runs
WHERE tenant_id = %(tenant)s AND batch_id = %(batch_id)s AND stage = %(stage)s
  AND error IS NOT NULL;

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
