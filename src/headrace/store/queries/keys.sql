-- API keys. Only their SHA-256 is here: a key has 256 random bits, so a slow hash would add nothing.

-- name: add
-- A key that is known already stays as it is, revoked ones too.
INSERT INTO headrace.api_keys (tenant_id, user_id, key_user_id, key_hash, name, prefix)
VALUES (%(tenant)s, %(user)s, %(key_user)s, %(hash)s, %(name)s, %(prefix)s)
ON CONFLICT DO NOTHING;

-- name: find
SELECT tenant_id, user_id, key_user_id, key_hash,
       last_used_at IS NULL OR last_used_at < now() - interval '1 minute' AS stale
FROM headrace.api_keys WHERE key_hash = %(hash)s AND revoked_at IS NULL;

-- name: used
-- Once a minute is enough, and does not make every request write.
UPDATE headrace.api_keys SET last_used_at = now()
WHERE tenant_id = %(tenant)s AND key_hash = %(hash)s
  AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute');

-- name: one_at_a_time
-- Two processes that start together make one first key. The number is any that nobody else locks.
SELECT pg_advisory_xact_lock(1216510793);

-- name: any
SELECT 1 FROM headrace.api_keys WHERE tenant_id = %(tenant)s AND revoked_at IS NULL LIMIT 1;

-- name: listing
SELECT prefix, name, user_id, key_user_id, created_at, last_used_at, revoked_at
FROM headrace.api_keys WHERE tenant_id = %(tenant)s ORDER BY created_at, prefix;

-- name: revoke
UPDATE headrace.api_keys SET revoked_at = now()
WHERE tenant_id = %(tenant)s AND prefix = %(prefix)s AND revoked_at IS NULL;
