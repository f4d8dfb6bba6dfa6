-- What retention removes, a piece at a time: what lies after a bookmark, in its order, up to a limit.
-- Each answers how much it has looked at, where that ends, what of it goes, and its bytes. {act} is
-- put in by `engine.retention`: what removes it, or nothing.

-- name: workflows
-- The engine's history of our own work that is over; whose database this is as well is not asked.
-- Attempts of a stage go last one first, so that those there are count from one; and while the stage
-- has still to run on the batch, none goes: the sweeper counts them. So it does with the workflows of
-- unfinished jobs.
WITH piece AS (
  SELECT w.workflow_uuid AS id, w.status, w.completed_at,
    w.workflow_uuid LIKE 'stage:%%' AS of_stage, w.application_name = %(application)s AS ours,
    pg_column_size(w.*) AS size
  FROM dbos.workflow_status w
  WHERE w.completed_at > %(after)s AND w.completed_at < extract(epoch FROM %(before)s) * 1000
  ORDER BY w.completed_at FETCH FIRST %(limit)s ROWS WITH TIES
), doomed AS (
  SELECT p.id, p.size + coalesce((SELECT sum(pg_column_size(o.*))
    FROM dbos.operation_outputs o WHERE o.workflow_uuid = p.id), 0) AS bytes
  FROM piece p
  WHERE p.ours AND p.status NOT IN ('ENQUEUED', 'PENDING', 'DELAYED')
    AND CASE WHEN p.of_stage THEN
      NOT EXISTS (SELECT FROM dbos.workflow_status later WHERE later.workflow_uuid =
        regexp_replace(p.id, '\d+$', '') || (split_part(p.id, ':', 5)::int + 1))
      AND NOT EXISTS (SELECT FROM headrace.batches b
        WHERE b.batch_id = split_part(p.id, ':', 4)::bigint AND NOT EXISTS (
          SELECT FROM headrace.stage_runs r WHERE r.tenant_id = b.tenant_id
            AND r.batch_id = b.batch_id AND r.stage = split_part(p.id, ':', 2)
            AND r.version >= split_part(p.id, ':', 3)::int))
    ELSE NOT EXISTS (SELECT FROM headrace.jobs j WHERE j.job_id = split_part(p.id, '/', 1)
        AND j.status IN ('PENDING', 'RUNNING')) END
), {act}
SELECT (SELECT count(*) FROM piece) AS looked, (SELECT max(completed_at) FROM piece) AS upto,
  (SELECT count(*) FROM gone) AS removed, (SELECT coalesce(sum(bytes), 0) FROM doomed) AS bytes;

-- name: workflows_go
steps AS (DELETE FROM dbos.operation_outputs t USING doomed d WHERE t.workflow_uuid = d.id),
inputs AS (DELETE FROM dbos.workflow_input t USING doomed d WHERE t.workflow_uuid = d.id),
outputs AS (DELETE FROM dbos.workflow_output t USING doomed d WHERE t.workflow_uuid = d.id),
gone AS (DELETE FROM dbos.workflow_status t USING doomed d WHERE t.workflow_uuid = d.id
  RETURNING 1)

-- name: jobs
-- Jobs that are over. One stays while a batch of it does, which tells where rows came from, and
-- while its dead letter is open, which may be retried.
WITH piece AS (
  SELECT j.tenant_id, j.job_id, j.connection_id, j.completed_at, pg_column_size(j.*) AS bytes
  FROM headrace.jobs j
  WHERE j.completed_at > to_timestamp(%(after)s / 1000000.0) AND j.completed_at < %(before)s
  ORDER BY j.completed_at FETCH FIRST %(limit)s ROWS WITH TIES
), doomed AS (
  SELECT * FROM piece p
  WHERE NOT EXISTS (SELECT FROM headrace.batches b
      WHERE b.tenant_id = p.tenant_id AND b.job_id = p.job_id)
    AND NOT EXISTS (SELECT FROM headrace.dead_letters d WHERE d.tenant_id = p.tenant_id
      AND d.stream_id IS NULL AND d.stage = 'job' AND d.state = 'open' AND d.job_id = p.job_id
      AND d.source_id IN ('job/' || p.job_id, 'connection/' || p.connection_id))
), {act}
SELECT (SELECT count(*) FROM piece) AS looked,
  (SELECT ceil(extract(epoch FROM max(completed_at)) * 1000000)::bigint FROM piece) AS upto,
  (SELECT count(*) FROM gone) AS removed, (SELECT coalesce(sum(bytes), 0) FROM doomed) AS bytes;

-- name: jobs_go
needs AS (DELETE FROM headrace.job_needs t USING doomed d
  WHERE t.tenant_id = d.tenant_id AND t.job_id = d.job_id),
lines AS (DELETE FROM headrace.job_lines t USING doomed d
  WHERE t.tenant_id = d.tenant_id AND t.job_id = d.job_id),
gone AS (DELETE FROM headrace.jobs t USING doomed d
  WHERE t.tenant_id = d.tenant_id AND t.job_id = d.job_id AND t.completed_at < %(before)s
  RETURNING 1)

-- name: batches
-- Batches of which nothing is left: they brought nothing new, or what they brought has been replaced
-- and removed. Not of a walk under way, whose cursors are known by them; nor of an unfinished job, or
-- while a replay goes through them.
WITH piece AS (
  SELECT b.tenant_id, b.batch_id, b.stream_id, b.slice, b.walk, b.job_id, b.committed_at,
    pg_column_size(b.*) AS bytes
  FROM headrace.batches b WHERE b.batch_id > %(after)s ORDER BY b.batch_id LIMIT %(limit)s
), doomed AS (
  SELECT * FROM piece p
  WHERE p.committed_at < %(before)s
    AND NOT EXISTS (SELECT FROM headrace.raw_events r WHERE r.batch_id = p.batch_id)
    AND NOT EXISTS (SELECT FROM headrace.checkpoints k WHERE k.tenant_id = p.tenant_id
      AND k.stream_id = p.stream_id AND k.slice = p.slice AND k.walk <= p.walk)
    AND NOT EXISTS (SELECT FROM headrace.jobs j WHERE j.status IN ('PENDING', 'RUNNING')
      AND (j.job_id = p.job_id OR j.kind = 'replay' AND j.tenant_id = p.tenant_id))
    AND NOT EXISTS (SELECT FROM headrace.dead_letters d
      WHERE d.batch_id = p.batch_id AND d.state = 'open')
    AND NOT EXISTS (SELECT FROM headrace.interactions t WHERE t.batch_id = p.batch_id)
    AND NOT EXISTS (SELECT FROM headrace.documents t WHERE t.batch_id = p.batch_id)
    AND NOT EXISTS (SELECT FROM headrace.participants t WHERE t.batch_id = p.batch_id)
    AND NOT EXISTS (SELECT FROM headrace.contact_identities t WHERE t.batch_id = p.batch_id)
    AND NOT EXISTS (SELECT FROM headrace.timeline_events t WHERE t.batch_id = p.batch_id)
), {act}
SELECT (SELECT count(*) FROM piece WHERE committed_at < %(before)s) AS looked,
  (SELECT max(batch_id) FROM piece) AS upto,
  (SELECT count(*) FROM gone) AS removed, (SELECT coalesce(sum(bytes), 0) FROM doomed) AS bytes;

-- name: batches_go
runs AS (DELETE FROM headrace.stage_runs t USING doomed d
  WHERE t.tenant_id = d.tenant_id AND t.batch_id = d.batch_id),
gone AS (DELETE FROM headrace.batches t USING doomed d
  WHERE t.tenant_id = d.tenant_id AND t.batch_id = d.batch_id RETURNING 1)

-- name: versions
-- Versions of records that enough later ones have replaced: later ones that all stages are through
-- with and none has refused. Never one that a row stands of, or an open dead letter points to.
-- {stands} is put in by `engine.retention`: whether a row stands of v, in the tables that stages make.
WITH piece AS (
  SELECT r.tenant_id, r.stream_id, r.source_id, r.batch_id FROM headrace.raw_events r
  WHERE r.version > 1 AND r.batch_id > %(after)s
  ORDER BY r.batch_id FETCH FIRST %(limit)s ROWS WITH TIES
), records AS (
  SELECT DISTINCT p.tenant_id, p.stream_id, p.source_id, s.content FROM piece p
  JOIN headrace.streams s ON s.tenant_id = p.tenant_id AND s.stream_id = p.stream_id
), doomed AS (
  SELECT v.tenant_id, v.stream_id, v.source_id, v.version,
    pg_column_size(v.payload) + 100 AS bytes
  FROM records
  JOIN headrace.raw_events v USING (tenant_id, stream_id, source_id)
  WHERE NOT EXISTS (SELECT FROM headrace.batches b WHERE b.tenant_id = v.tenant_id
      AND b.batch_id = v.batch_id AND b.committed_at >= %(before)s)
    AND %(keep)s <= (SELECT count(*) FROM (
      SELECT FROM headrace.raw_events n
      WHERE n.stream_id = v.stream_id AND n.source_id = v.source_id AND n.tenant_id = v.tenant_id
        AND n.version > v.version
        AND NOT EXISTS (SELECT FROM headrace.dead_letters d WHERE d.tenant_id = n.tenant_id
          AND d.stream_id = n.stream_id AND d.source_id = n.source_id
          AND d.version = n.version AND d.state <> 'retried')
        AND NOT EXISTS (
          SELECT FROM unnest(%(stages)s::text[], %(versions)s::int[], %(contents)s::text[])
            AS w (stage, version, content)
          WHERE w.content = records.content AND NOT EXISTS (SELECT FROM headrace.stage_runs r
            WHERE r.tenant_id = n.tenant_id AND r.batch_id = n.batch_id AND r.stage = w.stage
              AND r.version >= w.version AND r.error IS NULL))
      LIMIT %(keep)s) AS later)
    AND NOT EXISTS (SELECT FROM headrace.dead_letters d WHERE d.tenant_id = v.tenant_id
      AND d.stream_id = v.stream_id AND d.source_id = v.source_id AND d.version = v.version
      AND d.state = 'open')
    {stands}
), {act}
SELECT (SELECT count(*) FROM piece) AS looked, (SELECT max(batch_id) FROM piece) AS upto,
  (SELECT count(*) FROM gone) AS removed, (SELECT coalesce(sum(bytes), 0) FROM doomed) AS bytes;

-- name: versions_go
gone AS (DELETE FROM headrace.raw_events t USING doomed d
  WHERE t.stream_id = d.stream_id AND t.source_id = d.source_id AND t.version = d.version
    AND t.tenant_id = d.tenant_id RETURNING 1)

-- name: letters
-- Dead letters that are over and are not met any more. That of a version that was let go stays as
-- long as the version: what stood before it stands because of that.
WITH piece AS (
  SELECT d.tenant_id, d.dead_letter_id, d.stream_id, d.source_id, d.version, d.state, d.last_at,
    d.resolved_at, pg_column_size(d.*) AS bytes
  FROM headrace.dead_letters d
  WHERE d.resolved_at > to_timestamp(%(after)s / 1000000.0) AND d.resolved_at < %(before)s
  ORDER BY d.resolved_at FETCH FIRST %(limit)s ROWS WITH TIES
), doomed AS (
  SELECT * FROM piece p
  WHERE p.state <> 'open' AND p.last_at < %(before)s
    AND (p.state = 'retried' OR p.version IS NULL OR NOT EXISTS (SELECT FROM headrace.raw_events r
      WHERE r.stream_id = p.stream_id AND r.source_id = p.source_id AND r.version = p.version
        AND r.tenant_id = p.tenant_id))
), {act}
SELECT (SELECT count(*) FROM piece) AS looked,
  (SELECT ceil(extract(epoch FROM max(resolved_at)) * 1000000)::bigint FROM piece) AS upto,
  (SELECT count(*) FROM gone) AS removed, (SELECT coalesce(sum(bytes), 0) FROM doomed) AS bytes;

-- name: letters_go
gone AS (DELETE FROM headrace.dead_letters t USING doomed d
  WHERE t.tenant_id = d.tenant_id AND t.dead_letter_id = d.dead_letter_id AND t.state <> 'open'
  RETURNING 1)

-- name: open_letters
WITH piece AS (
  SELECT d.tenant_id, d.dead_letter_id, d.last_at, pg_column_size(d.*) AS bytes
  FROM headrace.dead_letters d WHERE d.state = 'open' AND d.dead_letter_id > %(after)s
  ORDER BY d.dead_letter_id LIMIT %(limit)s
), doomed AS (SELECT * FROM piece WHERE last_at < %(before)s), {act}
SELECT (SELECT count(*) FROM piece) AS looked, (SELECT max(dead_letter_id) FROM piece) AS upto,
  (SELECT count(*) FROM gone) AS removed, (SELECT coalesce(sum(bytes), 0) FROM doomed) AS bytes;

-- name: open_letters_go
gone AS (DELETE FROM headrace.dead_letters t USING doomed d
  WHERE t.tenant_id = d.tenant_id AND t.dead_letter_id = d.dead_letter_id AND t.state = 'open'
    AND t.last_at < %(before)s RETURNING 1)

-- name: workers
-- Processes that have ended, and of whom nothing is left to take over.
WITH piece AS (
  SELECT w.tenant_id, w.executor_id, w.slot, w.dead_at, pg_column_size(w.*) AS bytes
  FROM headrace.workers w WHERE w.slot > %(after)s ORDER BY w.slot LIMIT %(limit)s
), doomed AS (
  SELECT * FROM piece p WHERE p.dead_at < %(before)s AND NOT EXISTS (
    SELECT FROM dbos.workflow_status s
    WHERE s.executor_id = p.executor_id AND s.status = 'PENDING')
), {act}
SELECT (SELECT count(*) FROM piece) AS looked, (SELECT max(slot) FROM piece) AS upto,
  (SELECT count(*) FROM gone) AS removed, (SELECT coalesce(sum(bytes), 0) FROM doomed) AS bytes;

-- name: workers_go
gone AS (DELETE FROM headrace.workers t USING doomed d
  WHERE t.tenant_id = d.tenant_id AND t.executor_id = d.executor_id RETURNING 1)

-- name: standing
SELECT subject, bookmark, removed, removed_bytes, began_at, looked_at, passed_at, removed_at
FROM headrace.retention;

-- name: due
-- The subjects of which a pass is under way, or the last one is long enough ago.
SELECT wanted.subject FROM unnest(%(subjects)s::text[]) AS wanted (subject)
LEFT JOIN headrace.retention r USING (subject)
WHERE r.subject IS NULL OR r.bookmark > 0 OR r.passed_at IS NULL
  OR r.passed_at < now() - %(rest)s * interval '1 second';

-- name: begin
-- A new pass, where none is under way. It says where it is.
INSERT INTO headrace.retention AS r (subject) VALUES (%(subject)s)
ON CONFLICT (tenant_id, subject) DO UPDATE SET began_at = CASE WHEN r.bookmark = 0 THEN now()
  ELSE r.began_at END
RETURNING bookmark;

-- name: note
UPDATE headrace.retention SET bookmark = %(upto)s, looked_at = now(),
  removed = removed + %(removed)s, removed_bytes = removed_bytes + %(bytes)s,
  removed_at = CASE WHEN %(removed)s > 0 THEN now() ELSE removed_at END,
  passed_at = CASE WHEN %(upto)s = 0 THEN now() ELSE passed_at END
WHERE subject = %(subject)s;
