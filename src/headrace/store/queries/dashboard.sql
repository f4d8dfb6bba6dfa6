-- What only the dashboard asks. Row-level security says whose rows these are, but for `workers` and
-- `size`, which are the installation's.

-- name: documents
-- The documents that were landed last.
SELECT d.stream_id, d.source_id, d.version, d.size, d.occurred_at, b.committed_at,
  d.indexed_hash IS NOT DISTINCT FROM d.content_hash AS indexed, c.name AS connection
FROM headrace.documents d
JOIN headrace.streams s USING (tenant_id, stream_id)
JOIN headrace.connections c USING (tenant_id, connection_id)
JOIN headrace.batches b USING (tenant_id, batch_id)
WHERE %(q)s::text IS NULL OR d.source_id ILIKE '%%' || %(q)s || '%%'
ORDER BY d.batch_id DESC, d.source_id LIMIT %(limit)s;

-- name: landed_by_minute
-- What was landed in each of the last minutes; a minute without a commit is not told.
SELECT date_trunc('minute', committed_at) AS minute, sum(fetched)::bigint AS fetched,
  sum(inserted)::bigint AS inserted, count(*) AS commits
FROM headrace.batches WHERE committed_at > now() - make_interval(mins => %(minutes)s)
GROUP BY 1 ORDER BY 1;

-- name: workers
-- A worker lives while it holds the lock of its slot: see `engine.takeover`.
SELECT w.executor_id, w.version, w.started_at,
  (SELECT count(*) FROM dbos.workflow_status s
   WHERE s.executor_id = w.executor_id AND s.status = 'PENDING') AS busy
FROM headrace.workers w
JOIN pg_locks h ON h.locktype = 'advisory' AND h.classid = 18514 AND h.objid = w.slot AND h.granted
  AND h.database = (SELECT oid FROM pg_database WHERE datname = current_database())
WHERE w.dead_at IS NULL ORDER BY w.started_at LIMIT 200;

-- name: size
SELECT pg_database_size(current_database()) AS whole;

-- name: tables
SELECT c.relname AS name, pg_total_relation_size(c.oid) AS bytes,
  greatest(c.reltuples, 0)::bigint AS rows
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname IN ('headrace', 'dbos') AND c.relkind = 'r'
ORDER BY 2 DESC LIMIT 12;

-- name: running
-- The job that each connection has under way, and what it has landed.
SELECT j.connection_id, j.job_id, j.status, sum(b.fetched)::bigint AS fetched,
  max(t.total)::bigint AS total
FROM headrace.jobs j
LEFT JOIN headrace.batches b ON b.tenant_id = j.tenant_id AND b.job_id = j.job_id
LEFT JOIN LATERAL (SELECT sum(s.total) AS total FROM headrace.streams s
  WHERE s.tenant_id = j.tenant_id AND s.connection_id = j.connection_id
  HAVING count(*) = count(s.total)) t ON true
WHERE j.status IN ('PENDING', 'RUNNING') AND NOT j.waits AND j.connection_id IS NOT NULL
GROUP BY j.connection_id, j.job_id, j.status;

-- name: streams
SELECT s.stream_id, s.name, s.content, s.total, s.live, max(p.updated_at) AS moved_at,
  max(p.high_water) AS newest
FROM headrace.streams s
LEFT JOIN headrace.checkpoints p USING (tenant_id, stream_id)
WHERE s.connection_id = %(connection_id)s
GROUP BY s.tenant_id, s.stream_id ORDER BY s.name LIMIT 200;

-- name: jobs_of
SELECT * FROM headrace.jobs WHERE connection_id = %(connection_id)s
ORDER BY created_at DESC, job_id DESC LIMIT %(limit)s;

-- name: names
-- Names of sources, for a form to offer.
SELECT DISTINCT name FROM headrace.connections ORDER BY name LIMIT %(limit)s;

-- name: letters_of
-- The newest dead letters of a job.
SELECT d.dead_letter_id, d.level, d.stage, d.source_id, d.reason, d.hint, d.state, d.last_at
FROM headrace.dead_letters d WHERE d.job_id = %(job_id)s
ORDER BY d.dead_letter_id DESC LIMIT %(limit)s;

-- name: ended_by_minute
-- The jobs that ended in each of the last minutes, and how long they took, the wait included: half of
-- them, and nineteen of twenty, at most so long. The newest that many at most.
SELECT date_trunc('minute', j.completed_at) AS minute, count(*) AS jobs,
  count(*) FILTER (WHERE j.status = 'FAILED') AS failed,
  percentile_cont(0.5) WITHIN GROUP (ORDER BY j.took) AS half,
  percentile_cont(0.95) WITHIN GROUP (ORDER BY j.took) AS nearly_all
FROM (SELECT completed_at, status,
    greatest(0, extract(epoch FROM completed_at - created_at))::float AS took
  FROM headrace.jobs WHERE completed_at > now() - make_interval(mins => %(minutes)s)
  ORDER BY completed_at DESC LIMIT %(limit)s) j
GROUP BY 1 ORDER BY 1;

-- name: redis
-- What PostgreSQL knows of each Redis that workers have been told of.
SELECT s.address, s.named_at,
  (SELECT max(taken_at) FROM headrace.redis_entries) AS taken_at,
  (SELECT count(*) FROM headrace.redis_completions) AS untold,
  (SELECT count(*) FROM headrace.redis_offers) AS offered
FROM headrace.redis_servers s ORDER BY s.named_at DESC LIMIT 5;
