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
-- The job that each of these connections has under way, what it has landed, and what keeps it.
SELECT j.connection_id, j.job_id, j.status, j.attempts, j.resume_at, j.last_error, j.hint,
  l.fetched, t.total
FROM headrace.jobs j
LEFT JOIN LATERAL (SELECT sum(b.fetched)::bigint AS fetched FROM headrace.batches b
  WHERE b.tenant_id = j.tenant_id AND b.job_id = j.job_id) l ON true
LEFT JOIN LATERAL (SELECT sum(s.total)::bigint AS total FROM headrace.streams s
  WHERE s.tenant_id = j.tenant_id AND s.connection_id = j.connection_id
  HAVING count(*) = count(s.total)) t ON true
WHERE j.status IN ('PENDING', 'RUNNING') AND NOT j.waits
  AND j.connection_id = ANY(%(connections)s::text[]);

-- name: backlog
-- Batches that wait for a stage, or are in it, of one tenant or one of its users. The ids are those
-- of `queues.stage_workflow_id`. So many of the installation's are looked at, and no more.
SELECT s.connection_id, w.stage, count(*) AS batches, sum(b.inserted)::bigint AS records,
  min(b.committed_at) AS since
FROM (SELECT split_part(workflow_uuid, ':', 2) AS stage,
    split_part(workflow_uuid, ':', 4) AS batch_id
  FROM dbos.workflow_status
  WHERE queue_name = ANY(%(queues)s::text[]) AND status IN ('ENQUEUED', 'PENDING', 'DELAYED')
    AND workflow_uuid LIKE 'stage:%%'
  LIMIT %(most)s) w
JOIN headrace.batches b ON b.tenant_id = %(tenant)s AND b.batch_id = w.batch_id::bigint
  AND (%(user)s::text IS NULL OR b.user_id = %(user)s)
JOIN headrace.streams s ON s.tenant_id = b.tenant_id AND s.stream_id = b.stream_id
GROUP BY s.connection_id, w.stage ORDER BY s.connection_id, w.stage;

-- name: access
-- How the access of these connections stands, and what their sources allow just now. A share that
-- was lowered comes back by so much a minute: see store/allowances.py.
SELECT c.connection_id, c.credential IS NOT NULL AS has_key, c.grant_id IS NOT NULL AS has_grant,
  g.expires_at, g.refreshed_at, g.revoked_at, g.tokens IS NULL AS elsewhere,
  CASE WHEN a.resets_at > now() THEN a.remaining END AS remaining,
  CASE WHEN a.resets_at > now() THEN a.most END AS most,
  CASE WHEN a.resets_at > now() THEN a.resets_at END AS resets_at,
  least(1, a.share + %(creep)s * extract(epoch FROM now() - a.share_at)::float8 / 60) AS share,
  CASE WHEN a.spent_until > now() + interval '5 seconds' THEN a.spent_until END AS held_until
FROM headrace.connections c
LEFT JOIN headrace.grants g USING (tenant_id, grant_id)
LEFT JOIN headrace.allowances a ON a.tenant_id = c.tenant_id
  AND a.allowance = c.provider || ':' || coalesce(c.grant_id, c.connection_id)
WHERE c.tenant_id = %(tenant)s AND c.connection_id = ANY(%(connections)s::text[]);

-- name: streams
SELECT s.stream_id, s.name, s.content, s.total, s.live, max(p.updated_at) AS moved_at,
  max(p.high_water) AS newest, coalesce(sum(p.records), 0)::bigint AS records
FROM headrace.streams s
LEFT JOIN headrace.checkpoints p USING (tenant_id, stream_id)
WHERE s.connection_id = %(connection_id)s
GROUP BY s.tenant_id, s.stream_id ORDER BY s.name LIMIT 200;

-- name: jobs_of
SELECT * FROM headrace.jobs WHERE connection_id = %(connection_id)s
ORDER BY created_at DESC, job_id DESC LIMIT %(limit)s;

-- name: thread
-- The messages of a conversation, of one person and one source, in order.
SELECT i.stream_id, i.source_id, i.occurred_at, i.from_name, i.from_address, i.subject,
  left(coalesce(nullif(i.unquoted, ''), i.body), 300) AS begins, i.attachments
FROM headrace.interactions i
WHERE i.thread_id = %(thread_id)s AND i.user_id = %(user_id)s AND i.source = %(source)s
ORDER BY i.occurred_at, i.stream_id, i.source_id LIMIT %(limit)s;

-- name: source_of
SELECT c.connection_id, c.name FROM headrace.streams s
JOIN headrace.connections c USING (tenant_id, connection_id) WHERE s.stream_id = %(stream_id)s;

-- name: document
-- A document as it is shown: by the content that a search finds, or the newest where none is yet.
SELECT d.stream_id, d.source_id, d.version, d.size, d.occurred_at, b.committed_at,
  d.indexed_hash IS NOT DISTINCT FROM d.content_hash AS indexed,
  coalesce(d.indexed_hash, d.content_hash) AS content_hash, t.title, t.media_type,
  char_length(t.body) AS characters, cardinality(t.pages) AS pages
FROM headrace.documents d
JOIN headrace.batches b USING (tenant_id, batch_id)
LEFT JOIN headrace.texts t ON t.tenant_id = d.tenant_id AND t.stream_id = d.stream_id
  AND t.content_hash = coalesce(d.indexed_hash, d.content_hash)
WHERE d.stream_id = %(stream_id)s AND d.source_id = %(source_id)s;

-- name: passages_of
-- From the passage on that holds a character of the text.
SELECT k.position, k.start_at, k.end_at, k.page, k.headings, k.body, k.embedding IS NOT NULL AS found
FROM headrace.chunks k
WHERE k.stream_id = %(stream_id)s AND k.content_hash = %(content_hash)s AND k.kind = 'documents'
  AND k.position >= coalesce((SELECT max(o.position) FROM headrace.chunks o
    WHERE o.stream_id = k.stream_id AND o.content_hash = k.content_hash AND o.kind = 'documents'
      AND o.start_at <= %(at)s), 0) - %(before)s
ORDER BY k.position LIMIT %(limit)s;

-- name: nearest_meetings
SELECT (SELECT max(occurred_at) FROM headrace.calendar_events WHERE occurred_at < %(first)s) AS before,
  (SELECT min(occurred_at) FROM headrace.calendar_events WHERE occurred_at >= %(last)s) AS after;

-- name: answered
-- What people have said of late of who is whom: of each act one pair. Of the newest links only, for
-- rules make many.
SELECT * FROM (
  SELECT DISTINCT ON (l.created_at) l.link_id, l.decision, l.decided_by, l.created_at,
    coalesce(a.name, a.value) AS first_name, a.value AS first_value, a.contact_id AS first_contact,
    coalesce(b.name, b.value) AS second_name, b.value AS second_value,
    b.contact_id AS second_contact
  FROM (SELECT * FROM headrace.contact_links ORDER BY link_id DESC LIMIT 2000) l
  JOIN headrace.contact_identities a ON a.tenant_id = l.tenant_id AND a.identity_id = l.first_id
  JOIN headrace.contact_identities b ON b.tenant_id = l.tenant_id AND b.identity_id = l.second_id
  WHERE l.decided_by <> 'rule' AND (l.decision = 'same') = (a.contact_id = b.contact_id)
    AND NOT EXISTS (SELECT FROM headrace.contact_links n WHERE n.tenant_id = l.tenant_id
      AND n.first_id = l.first_id AND n.second_id = l.second_id AND n.link_id > l.link_id
      AND n.decided_by <> 'rule')
  ORDER BY l.created_at DESC, l.link_id LIMIT 50) acts
ORDER BY created_at DESC LIMIT %(limit)s;

-- name: link
SELECT l.link_id, l.decision, l.decided_by, l.first_id, l.second_id, a.contact_id AS first_contact,
  b.contact_id AS second_contact
FROM headrace.contact_links l
JOIN headrace.contact_identities a ON a.tenant_id = l.tenant_id AND a.identity_id = l.first_id
JOIN headrace.contact_identities b ON b.tenant_id = l.tenant_id AND b.identity_id = l.second_id
WHERE l.link_id = %(link_id)s AND l.decided_by <> 'rule';

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
