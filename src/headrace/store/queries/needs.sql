-- Jobs that wait for jobs. Whoever locks several does it in the order of `created_at`: a job
-- is younger than what it waits for, so nobody waits for one another in a circle.
--
-- How many wait changes within moments, and PostgreSQL's statistics know nothing of it. Sub-selects
-- that it cannot turn into joins (OFFSET 0) keep it to the way by keys, whatever it believes.

-- name: hold_needs
-- Those that a new job is to wait for, held as they are until it is written down: an end of one of
-- them comes before that, and is seen here, or after it, and sees the new job.
SELECT job_id, status, created_at FROM headrace.jobs
WHERE tenant_id = %(tenant)s AND job_id = ANY(%(job_ids)s::text[])
ORDER BY created_at, job_id FOR SHARE;

-- name: hold_connections
-- The same for what these connections have under way.
SELECT job_id FROM headrace.jobs
WHERE tenant_id = %(tenant)s AND connection_id = ANY(%(connections)s::text[])
  AND status IN ('PENDING', 'RUNNING') AND NOT waits
ORDER BY created_at, job_id FOR SHARE;

-- name: add
INSERT INTO headrace.job_needs (tenant_id, user_id, job_id, needs_job_id, regardless)
SELECT %(tenant)s, owner, job, need, regardless
FROM unnest(%(owners)s::text[], %(jobs)s::text[], %(needs)s::text[], %(regardless)s::bool[])
  AS wanted (owner, job, need, regardless)
ON CONFLICT DO NOTHING;

-- name: add_jobs
-- All jobs of a graph; each a microsecond younger than the one in the place before.
INSERT INTO headrace.jobs (tenant_id, user_id, job_id, kind, connection_id, payload, priority,
  deadline_seconds, idempotency_key, waits, created_at)
SELECT %(tenant)s, owner, id, kind, connection, payload, priority, deadline, idempotency_key, true,
  greatest(now(), %(younger_than)s::timestamptz + interval '1 microsecond')
    + place * interval '1 microsecond'
FROM unnest(%(owners)s::text[], %(job_ids)s::text[], %(kinds)s::text[], %(connections)s::text[],
    %(payloads)s::jsonb[], %(priorities)s::text[], %(deadlines)s::int[],
    %(idempotency_keys)s::text[], %(places)s::int[])
  AS wanted (owner, id, kind, connection, payload, priority, deadline, idempotency_key, place)
ON CONFLICT DO NOTHING
RETURNING job_id;

-- name: touched
-- What may go on, or will never, now that these are over: what waits for them; what waits for those
-- that will never; and what waits for its turn at a connection of theirs.
WITH RECURSIVE below (tenant_id, job_id, lost) AS (
  SELECT n.tenant_id, n.job_id, a.status <> 'SUCCEEDED' AND NOT n.regardless
  FROM headrace.jobs a
  JOIN headrace.job_needs n ON n.tenant_id = a.tenant_id AND n.needs_job_id = a.job_id
  WHERE a.job_id = ANY(%(over)s::text[]) AND a.completed_at IS NOT NULL
    AND (SELECT j.waits FROM headrace.jobs j
      WHERE j.tenant_id = n.tenant_id AND j.job_id = n.job_id)
  UNION
  SELECT n.tenant_id, n.job_id, NOT n.regardless
  FROM below b
  JOIN headrace.job_needs n ON n.tenant_id = b.tenant_id AND n.needs_job_id = b.job_id
  WHERE b.lost
    AND (SELECT j.waits FROM headrace.jobs j
      WHERE j.tenant_id = n.tenant_id AND j.job_id = n.job_id))
SELECT job_id FROM below
UNION
SELECT w.job_id FROM headrace.jobs o
CROSS JOIN LATERAL (SELECT w.job_id FROM headrace.jobs w
  WHERE w.tenant_id = o.tenant_id AND w.connection_id = o.connection_id AND w.waits OFFSET 0) w
WHERE o.job_id = ANY(%(over)s::text[]);

-- name: hold
SELECT job_id FROM headrace.jobs WHERE job_id = ANY(%(job_ids)s::text[])
ORDER BY created_at, job_id FOR UPDATE;

-- name: call_off
-- What waits for one of these that has not succeeded, and what waits for that, all the way down.
WITH RECURSIVE lost (tenant_id, job_id, cause) AS (
  SELECT n.tenant_id, n.job_id, coalesce(a.stopped_by, a.job_id)
  FROM headrace.jobs a
  JOIN headrace.job_needs n ON n.tenant_id = a.tenant_id AND n.needs_job_id = a.job_id
  WHERE a.job_id = ANY(%(over)s::text[]) AND a.status IN ('FAILED', 'CANCELLED')
    AND NOT n.regardless
    AND (SELECT j.waits FROM headrace.jobs j
      WHERE j.tenant_id = n.tenant_id AND j.job_id = n.job_id)
  UNION
  SELECT n.tenant_id, n.job_id, l.cause
  FROM lost l
  JOIN headrace.job_needs n ON n.tenant_id = l.tenant_id AND n.needs_job_id = l.job_id
  WHERE NOT n.regardless
    AND (SELECT j.waits FROM headrace.jobs j
      WHERE j.tenant_id = n.tenant_id AND j.job_id = n.job_id))
UPDATE headrace.jobs j
SET status = 'CANCELLED', waits = false, completed_at = now(), stopped_by = l.cause,
  last_error = 'It waited for job ' || l.cause || ', which '
    || CASE c.status WHEN 'FAILED' THEN 'failed.' ELSE 'was cancelled.' END,
  hint = 'Retry that one, and this one goes on with it.'
FROM (SELECT tenant_id, job_id, min(cause) AS cause FROM lost GROUP BY 1, 2) l
LEFT JOIN headrace.jobs c ON c.tenant_id = l.tenant_id AND c.job_id = l.cause
WHERE j.tenant_id = l.tenant_id AND j.job_id = l.job_id AND j.status = 'PENDING'
RETURNING j.*;

-- name: release
-- Those of these that wait for nothing any more; of two for one connection, the older.
WITH ready AS (
  SELECT j.tenant_id, j.job_id, row_number() OVER (
    PARTITION BY j.tenant_id, j.connection_id IS NULL, coalesce(j.connection_id, j.job_id)
    ORDER BY j.created_at, j.job_id) AS place
  FROM headrace.jobs j
  WHERE j.job_id = ANY(%(job_ids)s::text[]) AND j.waits
    AND NOT EXISTS (SELECT FROM headrace.job_needs n
      JOIN headrace.jobs a ON a.tenant_id = n.tenant_id AND a.job_id = n.needs_job_id
      WHERE n.tenant_id = j.tenant_id AND n.job_id = j.job_id AND a.status <> 'SUCCEEDED'
        AND NOT (n.regardless AND a.completed_at IS NOT NULL) OFFSET 0)
    AND (j.connection_id IS NULL OR NOT EXISTS (SELECT FROM headrace.jobs o
      WHERE o.tenant_id = j.tenant_id AND o.connection_id = j.connection_id
        AND o.status IN ('PENDING', 'RUNNING') AND NOT o.waits OFFSET 0)))
UPDATE headrace.jobs j SET waits = false
FROM ready r
WHERE r.place = 1 AND j.tenant_id = r.tenant_id AND j.job_id = r.job_id
RETURNING j.*;

-- name: forgotten
-- What waits although nothing is in its way, or for what will never succeed; with that, if any.
SELECT j.job_id, lost.needs_job_id AS lost
FROM headrace.jobs j
LEFT JOIN LATERAL (SELECT n.needs_job_id FROM headrace.job_needs n
  JOIN headrace.jobs a ON a.tenant_id = n.tenant_id AND a.job_id = n.needs_job_id
  WHERE n.tenant_id = j.tenant_id AND n.job_id = j.job_id AND NOT n.regardless
    AND a.status IN ('FAILED', 'CANCELLED') LIMIT 1) lost ON true
WHERE j.waits AND (lost.needs_job_id IS NOT NULL OR (
  NOT EXISTS (SELECT FROM headrace.job_needs n
    JOIN headrace.jobs a ON a.tenant_id = n.tenant_id AND a.job_id = n.needs_job_id
    WHERE n.tenant_id = j.tenant_id AND n.job_id = j.job_id AND a.completed_at IS NULL OFFSET 0)
  AND (j.connection_id IS NULL OR NOT EXISTS (SELECT FROM headrace.jobs o
    WHERE o.tenant_id = j.tenant_id AND o.connection_id = j.connection_id
      AND o.status IN ('PENDING', 'RUNNING') AND NOT o.waits OFFSET 0))))
ORDER BY j.created_at, j.job_id LIMIT 1000;

-- name: below
-- A job, and all that hangs on it, as far as the caller may see.
WITH RECURSIVE below (tenant_id, job_id) AS (
  SELECT tenant_id, job_id FROM headrace.jobs WHERE job_id = %(job_id)s
  UNION
  SELECT n.tenant_id, n.job_id FROM below b
  JOIN headrace.job_needs n ON n.tenant_id = b.tenant_id AND n.needs_job_id = b.job_id)
SELECT j.job_id, j.status FROM below b JOIN headrace.jobs j USING (tenant_id, job_id);

-- name: hold_for_retry
-- Jobs to be taken up again, those that were cancelled because of them, what all of these wait for,
-- and what their connections have under way: held until it is known who goes on.
WITH RECURSIVE again (tenant_id, job_id, connection_id) AS (
  SELECT tenant_id, job_id, connection_id FROM headrace.jobs
  WHERE job_id = ANY(%(job_ids)s::text[])
  UNION
  SELECT j.tenant_id, j.job_id, j.connection_id FROM again g
  JOIN headrace.job_needs n ON n.tenant_id = g.tenant_id AND n.needs_job_id = g.job_id
  JOIN headrace.jobs j ON j.tenant_id = n.tenant_id AND j.job_id = n.job_id
  WHERE j.stopped_by IS NOT NULL AND NOT n.regardless),
held AS (
  SELECT job_id FROM again
  UNION SELECT n.needs_job_id FROM again g
    JOIN headrace.job_needs n ON n.tenant_id = g.tenant_id AND n.job_id = g.job_id
  UNION SELECT o.job_id FROM again g
    JOIN headrace.jobs o ON o.tenant_id = g.tenant_id AND o.connection_id = g.connection_id
    WHERE o.status IN ('PENDING', 'RUNNING') AND NOT o.waits)
SELECT job_id FROM headrace.jobs
WHERE job_id = ANY(ARRAY(SELECT job_id FROM held))
ORDER BY created_at, job_id FOR UPDATE;

-- name: again
-- The same jobs and those that were cancelled because of them. `stopped_by`: what still keeps one
-- from going on, for it is over without success and not among them; or keeps one that this one
-- waits for.
WITH RECURSIVE again (tenant_id, job_id) AS (
  SELECT tenant_id, job_id FROM headrace.jobs
  WHERE job_id = ANY(%(job_ids)s::text[]) AND status IN ('FAILED', 'CANCELLED')
  UNION
  SELECT j.tenant_id, j.job_id FROM again g
  JOIN headrace.job_needs n ON n.tenant_id = g.tenant_id AND n.needs_job_id = g.job_id
  JOIN headrace.jobs j ON j.tenant_id = n.tenant_id AND j.job_id = n.job_id
  WHERE j.stopped_by IS NOT NULL AND NOT n.regardless),
stuck (tenant_id, job_id, cause) AS (
  SELECT g.tenant_id, g.job_id, coalesce(a.stopped_by, a.job_id)
  FROM again g
  JOIN headrace.job_needs n ON n.tenant_id = g.tenant_id AND n.job_id = g.job_id
  JOIN headrace.jobs a ON a.tenant_id = n.tenant_id AND a.job_id = n.needs_job_id
  WHERE NOT n.regardless AND a.status IN ('FAILED', 'CANCELLED')
    AND NOT EXISTS (SELECT FROM again o WHERE o.tenant_id = a.tenant_id AND o.job_id = a.job_id)
  UNION
  SELECT g.tenant_id, g.job_id, s.cause
  FROM stuck s
  JOIN headrace.job_needs n ON n.tenant_id = s.tenant_id AND n.needs_job_id = s.job_id
  JOIN again g ON g.tenant_id = n.tenant_id AND g.job_id = n.job_id
  WHERE NOT n.regardless)
SELECT g.job_id, min(s.cause) AS cause, min(c.status) AS status
FROM again g
LEFT JOIN stuck s USING (tenant_id, job_id)
LEFT JOIN headrace.jobs c ON c.tenant_id = s.tenant_id AND c.job_id = s.cause
GROUP BY g.job_id;

-- name: still_off
-- What was cancelled because of a job that is taken up again stays so because of another.
UPDATE headrace.jobs j SET stopped_by = w.cause, last_error = 'It waited for job ' || w.cause
  || ', which ' || CASE w.status WHEN 'FAILED' THEN 'failed.' ELSE 'was cancelled.' END
FROM unnest(%(job_ids)s::text[], %(causes)s::text[], %(statuses)s::text[])
  AS w (job_id, cause, status)
WHERE j.job_id = w.job_id AND j.stopped_by IS NOT NULL;

-- name: needs_of
SELECT n.needs_job_id, n.regardless, a.status
FROM headrace.job_needs n
LEFT JOIN headrace.jobs a ON a.tenant_id = n.tenant_id AND a.job_id = n.needs_job_id
WHERE n.job_id = %(job_id)s ORDER BY a.created_at, n.needs_job_id;

-- name: waiting_for
-- What a job that waits waits for: jobs that are not over; or, for its turn, that which its
-- connection has under way.
SELECT a.job_id FROM headrace.jobs j
JOIN headrace.job_needs n ON n.tenant_id = j.tenant_id AND n.job_id = j.job_id
JOIN headrace.jobs a ON a.tenant_id = n.tenant_id AND a.job_id = n.needs_job_id
WHERE j.job_id = %(job_id)s AND j.waits AND a.completed_at IS NULL
UNION
SELECT o.job_id FROM headrace.jobs j
JOIN headrace.jobs o ON o.tenant_id = j.tenant_id AND o.connection_id = j.connection_id
WHERE j.job_id = %(job_id)s AND j.waits AND o.status IN ('PENDING', 'RUNNING') AND NOT o.waits
ORDER BY 1;

-- name: connected
-- A job and every other that hangs together with it, nearest first, as far as the caller may see.
WITH RECURSIVE connected (tenant_id, job_id) AS (
  SELECT tenant_id, job_id FROM headrace.jobs WHERE job_id = %(job_id)s
  UNION
  SELECT e.tenant_id, e.job_id FROM connected c
  CROSS JOIN LATERAL (
    SELECT n.tenant_id, n.job_id FROM headrace.job_needs n
    WHERE n.tenant_id = c.tenant_id AND n.needs_job_id = c.job_id
    UNION ALL
    SELECT n.tenant_id, n.needs_job_id FROM headrace.job_needs n
    WHERE n.tenant_id = c.tenant_id AND n.job_id = c.job_id) e)
SELECT j.job_id, j.kind, j.connection_id, c.name AS connection, j.status, j.waits, j.stopped_by,
  j.last_error, j.created_at, j.completed_at
FROM (SELECT * FROM connected LIMIT %(limit)s) found
JOIN headrace.jobs j USING (tenant_id, job_id)
LEFT JOIN headrace.connections c USING (tenant_id, connection_id)
ORDER BY j.created_at, j.job_id;

-- name: edges
SELECT needs_job_id AS source, job_id AS target,
  CASE WHEN regardless THEN 'ended' ELSE 'succeeded' END AS "when"
FROM headrace.job_needs
WHERE job_id = ANY(%(job_ids)s::text[]) AND needs_job_id = ANY(%(job_ids)s::text[])
ORDER BY job_id, needs_job_id;

-- name: pushed_aside
-- The job that a connection has under way instead of this one, which nothing hangs on.
SELECT o.job_id FROM headrace.jobs j
JOIN headrace.jobs o ON o.tenant_id = j.tenant_id AND o.connection_id = j.connection_id
WHERE j.job_id = %(job_id)s AND j.completed_at IS NOT NULL
  AND o.status IN ('PENDING', 'RUNNING') AND NOT o.waits
  AND NOT EXISTS (SELECT FROM headrace.job_needs n
    WHERE n.tenant_id = j.tenant_id AND n.job_id = j.job_id)
  AND NOT EXISTS (SELECT FROM headrace.job_needs n
    WHERE n.tenant_id = j.tenant_id AND n.needs_job_id = j.job_id);
