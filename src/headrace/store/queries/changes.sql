-- The feed of changes: batches in the order of their numbers, and the versions that each brought.

-- name: any_unnumbered
SELECT EXISTS (SELECT FROM headrace.batches WHERE feed IS NULL AND inserted > 0) AS some;

-- name: alone
-- A statement of its own: the next one sees what whoever held it has committed. Where locks end,
-- the commit is seen already, so numbers are seen in their order, without a gap to be filled later.
SELECT pg_advisory_xact_lock(%(space)s, %(lock)s);

-- name: number
UPDATE headrace.batches b SET feed = n.feed
FROM (
  SELECT batch_id, nextval('headrace.feed') AS feed FROM (
    SELECT batch_id FROM headrace.batches WHERE feed IS NULL AND inserted > 0
    ORDER BY batch_id LIMIT %(most)s) next
) n
WHERE b.batch_id = n.batch_id
RETURNING b.batch_id;

-- name: wanted
-- Of these batches, those that a webhook wants to be told of, with what was changed by each: a
-- tombstone has no hash, and what comes after one is new again.
SELECT b.*, s.name AS stream, s.content, s.connection_id, c.added, c.updated, c.deleted
FROM headrace.batches b
JOIN headrace.streams s ON s.tenant_id = b.tenant_id AND s.stream_id = b.stream_id
CROSS JOIN LATERAL (
  SELECT count(*) FILTER (WHERE change = 'added') AS added,
         count(*) FILTER (WHERE change = 'updated') AS updated,
         count(*) FILTER (WHERE change = 'deleted') AS deleted
  FROM (SELECT CASE WHEN r.content_hash = '' THEN 'deleted' WHEN r.version = 1 THEN 'added'
      WHEN (SELECT p.content_hash = '' FROM headrace.raw_events p
        WHERE p.stream_id = r.stream_id AND p.source_id = r.source_id AND p.tenant_id = r.tenant_id
          AND p.version = r.version - 1) THEN 'added'
      ELSE 'updated' END AS change
    FROM headrace.raw_events r WHERE r.batch_id = b.batch_id) r) c
WHERE b.batch_id = ANY(%(batches)s) AND EXISTS (
  SELECT FROM headrace.webhooks w WHERE w.tenant_id = b.tenant_id AND NOT w.paused
    AND %(event)s = ANY(w.events) AND w.created_at <= b.committed_at)
ORDER BY b.feed;

-- name: batches
SELECT b.feed, b.batch_id, b.inserted FROM headrace.batches b
WHERE b.feed >= %(feed)s ORDER BY b.feed LIMIT %(limit)s;

-- name: records
SELECT b.feed, b.batch_id, b.stream_id, b.user_id, b.slice, b.job_id, b.committed_at,
  b.cursor_before, b.cursor_after, s.name AS stream, s.content, s.connection_id,
  r.source_id, r.version, r.occurred_at, CASE WHEN r.content_hash = '' THEN 'deleted' WHEN r.version = 1 THEN 'added'
    WHEN (SELECT p.content_hash = '' FROM headrace.raw_events p
      WHERE p.stream_id = r.stream_id AND p.source_id = r.source_id AND p.tenant_id = r.tenant_id
        AND p.version = r.version - 1) THEN 'added'
    ELSE 'updated' END AS change
FROM headrace.batches b
JOIN headrace.streams s ON s.tenant_id = b.tenant_id AND s.stream_id = b.stream_id
JOIN headrace.raw_events r ON r.batch_id = b.batch_id AND r.tenant_id = b.tenant_id
WHERE b.batch_id = ANY(%(batches)s)
  AND (b.feed, r.source_id, r.version) > (%(feed)s, %(source_id)s, %(version)s)
ORDER BY b.feed, r.source_id, r.version LIMIT %(limit)s;

-- name: newest
SELECT coalesce(max(feed), 0) AS feed FROM headrace.batches;

-- name: last
-- As whoever may draw numbers of it, and need not read it.
SELECT coalesce(pg_sequence_last_value('headrace.feed'), 0) AS last_value;
