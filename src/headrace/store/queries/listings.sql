-- What people page through, newest first. Row-level security says whose rows these are, so none of
-- them names a tenant. {table} and {columns} are put in by `headrace.store.listings`.

-- name: dated
-- No OR anywhere: with it a plan made for any parameters could not begin at the cursor.
SELECT {columns} FROM {table}
WHERE occurred_at >= coalesce(%(since)s, '-infinity'::timestamptz)
  AND occurred_at < coalesce(%(until)s, 'infinity'::timestamptz)
  AND occurred_at <= coalesce(%(at)s, 'infinity'::timestamptz)
  AND (occurred_at, stream_id, source_id)
    < (coalesce(%(at)s, 'infinity'::timestamptz), %(stream_id)s::bigint, %(source_id)s::text)
ORDER BY occurred_at DESC, stream_id DESC, source_id DESC
LIMIT %(limit)s;

-- name: undated
-- After everything that has a time, what has none.
SELECT {columns} FROM {table}
WHERE occurred_at IS NULL
  AND (stream_id, source_id)
    < (coalesce(%(stream_id)s, 9223372036854775807), coalesce(%(source_id)s, ''))
ORDER BY stream_id DESC, source_id DESC
LIMIT %(limit)s;

-- name: one
SELECT * FROM {table} WHERE stream_id = %(stream_id)s AND source_id = %(source_id)s;

-- name: connections_named
-- The id decides over a name; a name may be used once by each user.
SELECT * FROM headrace.connections
WHERE connection_id = %(named)s OR name = %(named)s
ORDER BY connection_id = %(named)s DESC, created_at LIMIT 50;

-- name: connections_of
SELECT * FROM headrace.connections WHERE provider = %(provider)s ORDER BY created_at LIMIT 50;

-- name: waiting_jobs
-- Oldest first: what has been waiting longest.
SELECT * FROM headrace.jobs WHERE status IN ('PENDING', 'RUNNING')
ORDER BY created_at, job_id LIMIT %(limit)s;

-- name: raw_of
-- The raw event that an interaction was made of, and its connection. Of one that is larger than
-- `most` bytes there is no payload.
SELECT s.connection_id, r.source_id,
  CASE WHEN octet_length(r.payload) <= %(most)s THEN r.payload END AS payload
FROM headrace.interactions i
JOIN headrace.streams s USING (tenant_id, stream_id)
JOIN headrace.raw_events r USING (tenant_id, stream_id, source_id, version)
WHERE i.stream_id = %(stream_id)s AND i.source_id = %(source_id)s;
