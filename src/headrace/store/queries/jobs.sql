-- Jobs: one row each, moved only by these statements.

-- name: create
-- A connection has one active job: asking again answers with it. The same idempotency key, too.
-- Any number may wait; each is younger than what it waits for.
INSERT INTO headrace.jobs (tenant_id, user_id, job_id, kind, connection_id, payload, priority,
  lane, deadline_seconds, idempotency_key, waits, created_at)
VALUES (%(tenant)s, %(user)s, %(job_id)s, %(kind)s, %(connection_id)s, %(payload)s, %(priority)s,
  %(lane)s, %(deadline)s, %(idempotency_key)s, %(waits)s,
  greatest(now(), %(younger_than)s::timestamptz + interval '1 microsecond'))
ON CONFLICT DO NOTHING
RETURNING *;

-- name: create_many
-- A sync of each of these connections; one that has an active job gets no other.
INSERT INTO headrace.jobs (tenant_id, user_id, job_id, kind, connection_id, lane, idempotency_key,
  resume_at)
SELECT tenant, owner, gen_random_uuid()::text, kind, connection, 'incremental', key, resume_at
FROM unnest(%(tenants)s::text[], %(users)s::text[], %(kinds)s::text[], %(connections)s::text[],
    %(keys)s::text[], %(resumes)s::timestamptz[])
  AS wanted (tenant, owner, kind, connection, key, resume_at)
ON CONFLICT DO NOTHING
RETURNING *;

-- name: existing
SELECT * FROM headrace.jobs
WHERE tenant_id = %(tenant)s
  AND ((user_id = %(user)s AND idempotency_key = %(idempotency_key)s)
       OR (connection_id = %(connection_id)s AND status IN ('PENDING', 'RUNNING') AND NOT waits
           AND NOT %(waits)s))
ORDER BY (user_id = %(user)s AND idempotency_key = %(idempotency_key)s) DESC NULLS LAST
LIMIT 1;

-- name: begin
-- Only the newest turn of an unfinished job may run; a recovered workflow finds its own turn again.
UPDATE headrace.jobs
SET status = 'RUNNING', started_at = coalesce(started_at, now()), resume_at = NULL,
    deadline_at = coalesce(deadline_at,
      now() + make_interval(secs => coalesce(deadline_seconds, %(most_seconds)s)))
WHERE job_id = %(job_id)s AND turn = %(turn)s AND status IN ('PENDING', 'RUNNING') AND NOT waits
RETURNING tenant_id, user_id, kind, connection_id, priority, lane, deadline_at;

-- name: finish
UPDATE headrace.jobs
SET status = %(status)s, completed_at = now(), summary = coalesce(%(summary)s, summary),
    last_error = %(error)s,
    hint = %(hint)s, error_code = %(code)s, attempts = attempts + %(failed)s
WHERE job_id = %(job_id)s AND turn = %(turn)s AND status = 'RUNNING'
RETURNING *;

-- name: under_way
SELECT * FROM headrace.jobs
WHERE job_id = %(job_id)s AND turn = %(turn)s AND status = 'RUNNING';

-- name: note
-- How far a job without a source is. Nothing is noted of one that is over, or in another turn.
UPDATE headrace.jobs SET summary = %(summary)s
WHERE job_id = %(job_id)s AND turn = %(turn)s AND status = 'RUNNING';

-- name: land
-- Everything is landed; the job goes on RUNNING until its stages are through.
UPDATE headrace.jobs
SET landed_at = now(), summary = %(summary)s, last_error = NULL, hint = NULL, error_code = NULL
WHERE job_id = %(job_id)s AND turn = %(turn)s AND status = 'RUNNING'
RETURNING job_id;

-- name: landed
SELECT summary FROM headrace.jobs
WHERE job_id = %(job_id)s AND status = 'RUNNING' AND landed_at IS NOT NULL;

-- name: settle
UPDATE headrace.jobs SET status = 'SUCCEEDED', completed_at = now(), summary = %(summary)s
WHERE job_id = %(job_id)s AND status = 'RUNNING' AND landed_at IS NOT NULL
RETURNING *;

-- name: lacks_stages
-- Whether a batch of the job has a run of a stage before it.
SELECT EXISTS (
  SELECT FROM headrace.batches b
  JOIN headrace.streams s ON s.tenant_id = b.tenant_id AND s.stream_id = b.stream_id
  JOIN unnest(%(stages)s::text[], %(versions)s::int[], %(contents)s::text[])
    AS n (stage, version, content) ON n.content = s.content
  WHERE b.tenant_id = %(tenant)s AND b.job_id = %(job_id)s AND b.inserted > 0
    AND NOT EXISTS (SELECT FROM headrace.stage_runs r WHERE r.tenant_id = b.tenant_id
      AND r.batch_id = b.batch_id AND r.stage = n.stage AND r.version >= n.version)) AS lacks;

-- name: stage_progress
-- How far each stage is with a job, in the order they run.
SELECT n.stage AS name, count(r.batch_id) AS batches, count(*) AS of,
  coalesce(sum(r.rows_in), 0)::bigint AS rows_in, coalesce(sum(r.rows_out), 0)::bigint AS rows_out,
  coalesce(sum(r.dead_lettered), 0)::bigint AS dead_lettered
FROM headrace.batches b
JOIN headrace.streams s ON s.tenant_id = b.tenant_id AND s.stream_id = b.stream_id
JOIN unnest(%(stages)s::text[], %(versions)s::int[], %(contents)s::text[], %(depths)s::int[])
  AS n (stage, version, content, depth) ON n.content = s.content
LEFT JOIN LATERAL (SELECT * FROM headrace.stage_runs r WHERE r.tenant_id = b.tenant_id
  AND r.batch_id = b.batch_id AND r.stage = n.stage AND r.version >= n.version
  ORDER BY r.version DESC LIMIT 1) r ON true
WHERE b.tenant_id = %(tenant)s AND b.job_id = %(job_id)s AND b.inserted > 0
GROUP BY n.stage, n.depth ORDER BY n.depth, n.stage;

-- name: pause
-- The next turn goes on where this one stopped. A turn that landed something starts counting its
-- failures anew: five attempts are for getting nowhere (X4).
UPDATE headrace.jobs
SET status = 'PENDING', turn = turn + 1, resume_at = %(resume_at)s, last_error = %(error)s,
    hint = %(hint)s, error_code = %(code)s, summary = coalesce(%(summary)s, summary),
    attempts = CASE WHEN %(progressed)s THEN 0 ELSE attempts END + %(failed)s,
    lane = CASE WHEN lane = ANY(%(short)s::text[]) THEN 'backfill' ELSE lane END
WHERE job_id = %(job_id)s AND turn = %(turn)s AND status = 'RUNNING'
RETURNING *;

-- name: attempts
SELECT attempts FROM headrace.jobs WHERE job_id = %(job_id)s;

-- name: cancel
UPDATE headrace.jobs SET status = 'CANCELLED', completed_at = now(), waits = false
WHERE job_id = ANY(%(job_ids)s::text[]) AND status IN ('PENDING', 'RUNNING')
RETURNING *;

-- name: retry
-- All of them wait, until it is known whose turn it is. Their time, where they have a deadline,
-- begins anew.
UPDATE headrace.jobs
SET status = 'PENDING', turn = turn + 1, attempts = 0, deaths = 0, deadline_at = NULL,
    completed_at = NULL, landed_at = NULL, last_error = NULL, hint = NULL, error_code = NULL,
    resume_at = NULL, waits = true, stopped_by = NULL
WHERE job_id = ANY(%(job_ids)s::text[]) AND status IN ('FAILED', 'CANCELLED');

-- name: hasten
-- The turn that waits becomes an old one, and ends as soon as it is begun. A first turn waits only
-- where a schedule has spread its jobs.
UPDATE headrace.jobs
SET turn = turn + 1, last_error = NULL, hint = NULL, error_code = NULL, resume_at = NULL
WHERE job_id = %(job_id)s AND status = 'PENDING'
  AND (attempts > 0 AND last_error IS NOT NULL OR turn = 1 AND resume_at IS NOT NULL)
RETURNING *;

-- name: get
SELECT * FROM headrace.jobs WHERE job_id = %(job_id)s;

-- name: totals
-- What a job has landed so far: the sum of its batches.
SELECT coalesce(sum(fetched), 0)::bigint AS fetched,
       coalesce(sum(inserted), 0)::bigint AS inserted,
       coalesce(sum(unchanged), 0)::bigint AS unchanged,
       coalesce(sum(dead_lettered), 0)::bigint AS dead_lettered,
       coalesce(sum(pages), 0)::bigint AS pages,
       count(*)::bigint AS batches,
       max(batch_id) AS last_batch
FROM headrace.batches
WHERE tenant_id = %(tenant)s AND job_id = %(job_id)s;

-- name: landed_so_far
-- What each of these jobs has landed; `total` where each stream of its source says what there is.
SELECT j.job_id, sum(b.fetched)::bigint AS fetched, sum(b.inserted)::bigint AS inserted,
  max(t.total)::bigint AS total
FROM headrace.jobs j
JOIN headrace.batches b ON b.tenant_id = j.tenant_id AND b.job_id = j.job_id
LEFT JOIN LATERAL (SELECT sum(s.total) AS total FROM headrace.streams s
  WHERE s.tenant_id = j.tenant_id AND s.connection_id = j.connection_id
  HAVING count(*) = count(s.total)) t ON true
WHERE j.job_id = ANY(%(job_ids)s::text[])
GROUP BY j.job_id;

-- name: counts
-- Of what is over, the last day's; and of each status no further than the limit: a count of all there
-- are would take longer every day.
SELECT s.status, (SELECT count(*) FROM (SELECT FROM headrace.jobs j
    WHERE j.status = s.status
      AND j.created_at > CASE WHEN s.status IN ('PENDING', 'RUNNING') THEN '-infinity'
        ELSE now() - interval '1 day' END
    LIMIT %(limit)s) counted) AS jobs
FROM unnest(ARRAY['PENDING', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED']) AS s (status);

-- name: listing
SELECT j.*, c.name AS connection
FROM headrace.jobs j LEFT JOIN headrace.connections c USING (tenant_id, connection_id)
WHERE {narrowed} ORDER BY j.created_at DESC, j.job_id DESC LIMIT %(limit)s;

-- name: batches
-- The newest commits of a job.
SELECT b.batch_id, s.name AS stream, b.slice, b.pages, b.fetched, b.inserted, b.unchanged,
  b.dead_lettered, b.payload_bytes, b.committed_at
FROM headrace.batches b JOIN headrace.streams s USING (tenant_id, stream_id)
WHERE b.tenant_id = %(tenant)s AND b.job_id = %(job_id)s
ORDER BY b.batch_id DESC LIMIT %(limit)s;
