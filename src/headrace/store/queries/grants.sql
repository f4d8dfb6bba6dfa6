-- What owners of accounts have consented to. All times are the database's own.

-- name: save
-- A consent given anew takes the place of the one before; the connections that wait for it go on.
INSERT INTO headrace.grants AS g (tenant_id, grant_id, user_id, issuer, account, scopes, external_id)
VALUES (%(tenant)s, %(grant)s, %(user)s, %(issuer)s, %(account)s, %(scopes)s, %(external)s)
ON CONFLICT (tenant_id, user_id, issuer, account) DO UPDATE
SET scopes = excluded.scopes, external_id = excluded.external_id, revoked_at = NULL
RETURNING grant_id;

-- name: keep
UPDATE headrace.grants
SET tokens = %(tokens)s, refreshed_at = now(), revoked_at = NULL,
    expires_at = now() + make_interval(secs => %(seconds)s),
    scopes = coalesce(%(scopes)s::text[], scopes)
WHERE tenant_id = %(tenant)s AND grant_id = %(grant)s;

-- name: read
SELECT *, extract(epoch FROM expires_at - clock_timestamp())::float8 AS seconds,
  extract(epoch FROM expires_at - refreshed_at)::float8 AS lifetime
FROM headrace.grants
WHERE tenant_id = %(tenant)s AND grant_id = %(grant)s;

-- name: lock
-- Whoever refreshes holds the row until the new tokens are in it (rule O1).
SELECT *, extract(epoch FROM expires_at - clock_timestamp())::float8 AS seconds,
  extract(epoch FROM expires_at - refreshed_at)::float8 AS lifetime
FROM headrace.grants
WHERE tenant_id = %(tenant)s AND grant_id = %(grant)s FOR UPDATE;

-- name: connected
SELECT c.connection_id, c.provider FROM headrace.connections c
JOIN headrace.grants g USING (tenant_id, grant_id)
WHERE g.tenant_id = %(tenant)s AND g.user_id = %(user)s AND g.issuer = %(issuer)s
  AND (%(account)s::text IS NULL OR g.account = %(account)s)
ORDER BY c.name;

-- name: revoke
-- Of tokens that are kept elsewhere, what is remembered tells when others are there.
UPDATE headrace.grants
SET revoked_at = now(), refreshed_at = coalesce(%(changed)s, refreshed_at)
WHERE tenant_id = %(tenant)s AND grant_id = %(grant)s;

-- name: need_consent
-- What somebody has paused stays so: nothing but a resume, or an approval, lets it go on.
UPDATE headrace.connections
SET health = 'needs_reauth', health_reason = %(reason)s, health_hint = %(hint)s
WHERE tenant_id = %(tenant)s AND grant_id = %(grant)s AND health NOT IN ('needs_reauth', 'paused')
RETURNING *;

-- name: consented
WITH back AS (
  UPDATE headrace.connections
  SET health = 'active', health_reason = NULL, health_hint = NULL
  WHERE tenant_id = %(tenant)s AND grant_id = %(grant)s AND health = 'needs_reauth'
  RETURNING tenant_id, connection_id
)
UPDATE headrace.schedules s SET next_at = now() FROM back
WHERE s.tenant_id = back.tenant_id AND s.connection_id = back.connection_id;
