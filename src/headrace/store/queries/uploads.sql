-- Files that callers have sent. Each statement names tenant and user: an upload is one user's, also
-- for a key that sees all of its tenant.

-- name: patience
SET LOCAL statement_timeout = '60s';

-- name: same
-- The same bytes again are not written again.
UPDATE headrace.uploads SET uploaded_at = now()
WHERE tenant_id = %(tenant)s AND user_id = %(user)s AND name = %(name)s AND sha256 = %(sha256)s
RETURNING name, sha256, size, uploaded_at;

-- name: one_at_a_time
-- Of a tenant's, until the transaction ends: each must see what the one before has written.
SELECT pg_advisory_xact_lock(hashtextextended('headrace.uploads ' || %(tenant)s, 0));

-- name: others
-- All of the tenant's, whosever they are, but the one that is replaced.
SELECT coalesce(sum(size), 0)::bigint AS size FROM headrace.uploads
WHERE tenant_id = %(tenant)s AND (user_id, name) <> (%(user)s, %(name)s);

-- name: make_pieces
CREATE TEMP TABLE IF NOT EXISTS upload_pieces (n integer, piece bytea) ON COMMIT DELETE ROWS;

-- name: open_pieces
GRANT SELECT ON pg_temp.upload_pieces TO headrace_people;

-- name: copy_pieces
COPY pg_temp.upload_pieces (n, piece) FROM STDIN (FORMAT binary)

-- name: joined
(SELECT string_agg(piece, '' ORDER BY n) FROM pg_temp.upload_pieces)

-- name: put
-- {content} is the bytes or what joins them. `new` reads what an UPDATE leaves behind and an INSERT
-- does not.
INSERT INTO headrace.uploads (tenant_id, user_id, name, content, size, sha256)
VALUES (%(tenant)s, %(user)s, %(name)s, {content}, %(size)s, %(sha256)s)
ON CONFLICT (tenant_id, user_id, name) DO UPDATE
SET content = excluded.content, size = excluded.size, sha256 = excluded.sha256,
    uploaded_at = now()
RETURNING name, sha256, size, uploaded_at, xmax = 0 AS new;

-- name: listing
-- `below` ends the scan where the prefix does.
SELECT name, sha256, size, uploaded_at FROM headrace.uploads
WHERE tenant_id = %(tenant)s AND user_id = %(user)s
  AND name > %(after)s AND name >= %(prefix)s AND name < %(below)s
  AND starts_with(name, %(prefix)s)
ORDER BY name LIMIT %(limit)s;

-- name: read
SELECT name, sha256, size, uploaded_at, content FROM headrace.uploads
WHERE tenant_id = %(tenant)s AND user_id = %(user)s AND name = %(name)s;

-- name: delete
DELETE FROM headrace.uploads
WHERE tenant_id = %(tenant)s AND user_id = %(user)s AND name = %(name)s;
