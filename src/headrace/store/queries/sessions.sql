-- Sessions of the dashboard. As with keys, only the SHA-256 of a token is here.

-- name: open
INSERT INTO headrace.sessions
  (tenant_id, token_hash, user_id, key_user_id, key_hash, once, expires_at)
VALUES (%(tenant)s, %(token)s, %(user)s, %(key_user)s, %(key)s, %(once)s,
  now() + make_interval(secs => %(seconds)s));

-- name: find
-- One that is used is good for as long again; once an hour is enough to write that down.
SELECT s.tenant_id, s.user_id, s.key_user_id,
  s.expires_at < now() + make_interval(secs => %(seconds)s - 3600) AS stale
FROM headrace.sessions s
LEFT JOIN headrace.api_keys k ON k.tenant_id = s.tenant_id AND k.key_hash = s.key_hash
WHERE s.token_hash = %(token)s AND NOT s.once AND s.expires_at > now()
  AND s.created_at > now() - make_interval(secs => %(oldest)s)
  AND (s.key_hash IS NULL OR (k.key_hash IS NOT NULL AND k.revoked_at IS NULL));

-- name: used
UPDATE headrace.sessions SET expires_at = now() + make_interval(secs => %(seconds)s)
WHERE token_hash = %(token)s AND NOT once;

-- name: close
DELETE FROM headrace.sessions WHERE token_hash = %(token)s;

-- name: offered
SELECT 1 AS there FROM headrace.sessions
WHERE token_hash = %(token)s AND once AND expires_at > now();

-- name: redeem
-- Whoever deletes the row has the link; nobody else can have it again.
DELETE FROM headrace.sessions WHERE token_hash = %(token)s AND once AND expires_at > now()
RETURNING tenant_id, user_id, key_user_id;

-- name: tidy
DELETE FROM headrace.sessions WHERE expires_at < now();
