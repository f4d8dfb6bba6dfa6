-- What /metrics tells: how things stand, and what has happened between two moments. Of all tenants
-- together, and by words of the program's own: no name that somebody has chosen.

-- name: manners
-- A look at everything at one moment, which keeps nobody waiting for long.
SELECT set_config('statement_timeout', '5s', true), set_config('TimeZone', 'UTC', true);

-- name: settled
-- Everything before this moment is committed, or never will be: times are those at which
-- transactions began. Some other program's that is open for long does not hold it up for ever.
SELECT greatest(least(clock_timestamp(), min(xact_start)),
    clock_timestamp() - make_interval(secs => %(longest)s))
  - make_interval(secs => %(margin)s) AS at
FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid();

-- name: jobs_finished
SELECT kind, status, width_bucket(seconds, %(bounds)s::float8[]) AS bucket, count(*) AS jobs,
  sum(seconds) AS seconds
FROM (SELECT kind, status,
    extract(epoch FROM completed_at - coalesce(started_at, completed_at))::float8 AS seconds
  FROM headrace.jobs WHERE completed_at >= %(since)s AND completed_at < %(until)s) finished
GROUP BY 1, 2, 3;

-- name: landed
SELECT coalesce(c.provider, '') AS provider, count(*) AS commits,
  sum(b.inserted)::bigint AS inserted, sum(b.unchanged)::bigint AS unchanged,
  sum(b.dead_lettered)::bigint AS dead_lettered, sum(b.payload_bytes)::bigint AS bytes
FROM headrace.batches b
LEFT JOIN headrace.streams s ON s.tenant_id = b.tenant_id AND s.stream_id = b.stream_id
LEFT JOIN headrace.connections c
  ON c.tenant_id = s.tenant_id AND c.connection_id = s.connection_id
WHERE b.committed_at >= %(since)s AND b.committed_at < %(until)s
GROUP BY 1;

-- name: stage_runs
SELECT stage, error IS NOT NULL AS given_up,
  width_bucket(duration_ms / 1000.0::float8, %(bounds)s::float8[]) AS bucket, count(*) AS runs,
  sum(duration_ms)::float8 / 1000 AS seconds, sum(rows_in)::bigint AS rows_in,
  sum(rows_out)::bigint AS rows_out, sum(dead_lettered)::bigint AS dead_lettered
FROM headrace.stage_runs WHERE finished_at >= %(since)s AND finished_at < %(until)s
GROUP BY 1, 2, 3;

-- name: jobs
SELECT kind, status, count(*) AS jobs FROM headrace.jobs
WHERE status IN ('PENDING', 'RUNNING') GROUP BY 1, 2;

-- name: dead_letters
SELECT level, stage, count(*) AS letters FROM headrace.dead_letters
WHERE state = 'open' GROUP BY 1, 2;

-- name: connections
SELECT provider, health, count(*) AS connections, max(age) AS oldest, min(age) AS newest
FROM (SELECT provider, health,
    extract(epoch FROM now() - coalesce(synced_at, created_at))::float8 AS age
  FROM headrace.connections) c
GROUP BY 1, 2;

-- name: each_connection
-- The first ones that were made, and so the same ones at each look.
SELECT connection_id, provider,
  extract(epoch FROM now() - coalesce(synced_at, created_at))::float8 AS age
FROM headrace.connections ORDER BY created_at, connection_id LIMIT %(most)s;

-- name: allowances
SELECT split_part(allowance, ':', 1) AS provider, count(*) AS allowances,
  coalesce(min(share), 1) AS share,
  coalesce(min(greatest(0, remaining) / most) FILTER (WHERE resets_at > now()), 1) AS remaining,
  greatest(0, extract(epoch FROM max(spent_until) - now()))::float8 AS wait
FROM headrace.allowances GROUP BY 1;

-- name: schedules
SELECT count(*) AS overdue FROM headrace.schedules
WHERE NOT paused AND next_at < now() - interval '1 minute';

-- name: retention
SELECT subject, removed, removed_bytes, extract(epoch FROM passed_at)::float8 AS passed_at
FROM headrace.retention;

-- name: redis
SELECT count(*) AS untold
FROM (SELECT FROM headrace.redis_completions LIMIT 100000) few;

-- name: size
SELECT pg_database_size(current_database()) AS bytes;
