-- What one landing transaction says to PostgreSQL, in order.

-- name: lock_checkpoint
-- Lock first, then compare: a compare-and-set UPDATE alone would read the old row version and not
-- wait.
SELECT epoch FROM headrace.checkpoints
WHERE tenant_id = %(tenant)s AND stream_id = %(stream_id)s AND slice = %(slice)s
FOR UPDATE;

-- name: lock_job
-- The job's row is held, shared, until the commit: whoever cancels the job waits for this commit,
-- and after the answer to a cancel comes no other. The id is drawn under both locks, so that the
-- ids of a slice's batches grow in the order of its commits.
SELECT nextval('headrace.batches_batch_id_seq') AS batch_id,
       (SELECT status FROM headrace.jobs WHERE job_id = %(job_id)s FOR SHARE) AS status;

-- name: copy_raw
-- Straight into the table, every row as its first version: right while a walk brings only new
-- records, and a unique violation says when it does not.
COPY headrace.raw_events (tenant_id, user_id, stream_id, batch_id, version, source_id,
  content_hash, occurred_at, payload) FROM STDIN (FORMAT binary)

-- name: make_staging
CREATE TEMP TABLE IF NOT EXISTS landing (
  ord integer, source_id text COLLATE "C", content_hash bytea, occurred_at timestamptz,
  payload bytea, mark text COLLATE "C") ON COMMIT DELETE ROWS

-- name: copy_staging
COPY landing (ord, source_id, content_hash, occurred_at, payload, mark) FROM STDIN (FORMAT binary)

-- name: merge_staging
-- A record is new when its hash differs from the one before it: the one before it in this commit,
-- or else the newest version in the table. So A, B, A are three versions, and A, A is one. Where
-- marks sort as versions do, one that is behind the known mark is an older copy, and not new. What
-- was never there cannot go: no tombstone is written for it. Where a person has mended the newest
-- version, what the source had sent is known, and only what it sends anew comes after it.
-- Sorted, so that two slices that meet in one key wait for each other instead of deadlocking.
WITH incoming AS (
  SELECT *, lag(content_hash) OVER (PARTITION BY source_id ORDER BY ord) AS before
  FROM landing
), fresh AS (
  SELECT i.*, coalesce(newest.version, 0) AS base
  FROM incoming i
  LEFT JOIN LATERAL (
    SELECT r.version, coalesce(r.mends, r.content_hash) AS content_hash
    FROM headrace.raw_events r
    WHERE r.tenant_id = %(tenant)s AND r.stream_id = %(stream_id)s AND r.source_id = i.source_id
    ORDER BY r.version DESC LIMIT 1
  ) newest ON true
  WHERE i.content_hash IS DISTINCT FROM coalesce(i.before, newest.content_hash)
    AND (i.content_hash <> '' OR coalesce(i.before, newest.content_hash) IS NOT NULL)
    AND (i.mark IS NULL OR NOT EXISTS (SELECT FROM headrace.marks m
      WHERE m.tenant_id = %(tenant)s AND m.stream_id = %(stream_id)s
        AND m.source_id = i.source_id AND m.mark COLLATE "C" > i.mark))
)
INSERT INTO headrace.raw_events (tenant_id, user_id, stream_id, batch_id, version, source_id,
  content_hash, occurred_at, payload)
SELECT %(tenant)s, %(user)s, %(stream_id)s, %(batch_id)s,
  base + row_number() OVER (PARTITION BY source_id ORDER BY ord),
  source_id, content_hash, occurred_at, payload
FROM fresh ORDER BY source_id, ord;

-- name: write_marks
INSERT INTO headrace.marks AS m (tenant_id, user_id, stream_id, source_id, mark)
SELECT %(tenant)s, %(user)s, %(stream_id)s, id, mark
FROM unnest(%(ids)s::text[], %(marks)s::text[]) AS given (id, mark)
ORDER BY id
ON CONFLICT (stream_id, source_id, tenant_id) DO UPDATE SET mark = excluded.mark
WHERE m.mark <> excluded.mark AND NOT (%(ordered)s AND m.mark COLLATE "C" > excluded.mark);

-- name: forget
-- Records that the source has deleted. From now on the stream's stages look whether what they are
-- about to write has been deleted meanwhile.
WITH gone AS (
  DELETE FROM headrace.marks
  WHERE tenant_id = %(tenant)s AND stream_id = %(stream_id)s AND source_id = ANY(%(ids)s::text[])
)
UPDATE headrace.streams SET forgets = true
WHERE tenant_id = %(tenant)s AND stream_id = %(stream_id)s AND NOT forgets;

-- name: known
SELECT source_id, mark FROM headrace.marks
WHERE tenant_id = %(tenant)s AND source_id > %(after)s AND stream_id = (
  SELECT stream_id FROM headrace.streams
  WHERE tenant_id = %(tenant)s AND connection_id = %(connection)s AND name = %(stream)s)
ORDER BY source_id LIMIT %(limit)s;

-- name: write_batch
INSERT INTO headrace.batches (tenant_id, user_id, batch_id, stream_id, slice, walk, job_id, epoch,
  pages, fetched, inserted, unchanged, dead_lettered, payload_bytes, cursor_before, cursor_after,
  cursor_hashes)
OVERRIDING SYSTEM VALUE
VALUES (%(tenant)s, %(user)s, %(batch_id)s, %(stream_id)s, %(slice)s, %(walk)s, %(job_id)s,
  %(epoch)s, %(pages)s, %(fetched)s, %(inserted)s, %(unchanged)s, %(dead_lettered)s,
  %(payload_bytes)s, %(cursor_before)s, %(cursor_after)s, %(cursor_hashes)s);

-- name: move_checkpoint
UPDATE headrace.checkpoints
SET cursor = %(cursor_after)s,
    pages = pages + %(pages)s,
    restarts = CASE WHEN %(complete)s THEN 0 ELSE restarts END,
    high_water = greatest(high_water, %(high_water)s),
    done_by = CASE WHEN %(complete)s THEN %(job_id)s ELSE done_by END,
    walk = walk + CASE WHEN %(complete)s THEN 1 ELSE 0 END,
    updated_at = now()
WHERE tenant_id = %(tenant)s AND stream_id = %(stream_id)s AND slice = %(slice)s;

-- name: write_dead_letter
-- Met again for the same reason, it is counted, and its history tells nothing new of it.
INSERT INTO headrace.dead_letters AS d (tenant_id, user_id, stream_id, batch_id, job_id, stage,
  source_id, version, content_hash, raw, reason, hint, history)
VALUES (%(tenant)s, %(user)s, %(stream_id)s, %(batch_id)s, %(job_id)s, %(stage)s, %(source_id)s,
  %(version)s, %(content_hash)s, %(raw)s, %(reason)s, %(hint)s, jsonb_build_array(
    jsonb_build_object('at', now(), 'what', 'refused', 'reason', left(%(reason)s::text, 500),
      'code', %(code)s::text)))
ON CONFLICT (tenant_id, stream_id, stage, source_id, version, content_hash) DO UPDATE
SET attempts = d.attempts + 1, batch_id = excluded.batch_id, last_at = now(),
    job_id = excluded.job_id, reason = excluded.reason, hint = excluded.hint,
    history = CASE WHEN d.reason = excluded.reason AND d.state <> 'retried' THEN d.history
      ELSE headrace.told(d.history, excluded.history -> 0) END,
    -- What somebody has let go stays so, however often it is met again; and so does what somebody
    -- has mended, for these are the bytes that they have mended.
    state = CASE WHEN d.state = 'dropped' OR d.mended IS NOT NULL THEN d.state ELSE 'open' END,
    resolved_at = CASE WHEN d.state = 'dropped' OR d.mended IS NOT NULL THEN d.resolved_at END;

-- name: claim
-- Taking a slice: the epoch grows, and whoever held the old one can no longer commit.
UPDATE headrace.checkpoints SET epoch = epoch + 1, updated_at = now()
WHERE tenant_id = %(tenant)s AND stream_id = %(stream_id)s AND slice = %(slice)s
RETURNING cursor, epoch, walk, restarts, done_by;

-- name: seen_cursors
-- Every cursor this walk has been given so far, eight bytes of hash each (rule R2).
SELECT coalesce(string_agg(cursor_hashes, ''), '') AS hashes
FROM headrace.batches
WHERE tenant_id = %(tenant)s AND stream_id = %(stream_id)s AND slice = %(slice)s AND walk = %(walk)s;

-- name: restart_walk
-- An expired cursor: from the start again, or from where the walk began. Rows are deduplicated, so a walk may be repeated at will.
UPDATE headrace.checkpoints
SET cursor = %(cursor)s, walk = walk + 1, restarts = restarts + 1, updated_at = now()
WHERE tenant_id = %(tenant)s AND stream_id = %(stream_id)s AND slice = %(slice)s
  AND epoch = %(epoch)s
RETURNING walk, restarts;
