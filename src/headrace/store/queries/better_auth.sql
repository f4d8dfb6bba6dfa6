-- What another application's accounts become here. `found` is what it has at this moment; a grant
-- belongs to one of its accounts where it has an `external_id`, and no tokens of its own.

-- name: make_found
CREATE TEMP TABLE found (
  external text NOT NULL, user_id text COLLATE "C" NOT NULL, issuer text NOT NULL,
  account text NOT NULL, scopes text[] NOT NULL, changed timestamptz, providers text[] NOT NULL
) ON COMMIT DROP;

-- name: copy_found
COPY found (external, user_id, issuer, account, scopes, changed, providers) FROM STDIN;

-- name: analyze_found
ANALYZE found;

-- name: add_grants
INSERT INTO headrace.grants (tenant_id, grant_id, user_id, issuer, account, scopes, external_id)
SELECT %(tenant)s, gen_random_uuid()::text, user_id, issuer, account, scopes, external
FROM found f
WHERE NOT EXISTS (SELECT FROM headrace.grants g WHERE g.tenant_id = %(tenant)s
  AND g.user_id = f.user_id AND g.issuer = f.issuer AND g.account = f.account)
ON CONFLICT DO NOTHING;

-- name: renew_grants
-- An account that was linked anew is another row, and one whose consent had ended was written since.
-- Only what has changed is touched: a grant's row is held while it is refreshed.
UPDATE headrace.grants g
SET external_id = f.external, scopes = f.scopes, revoked_at = NULL
FROM found f
WHERE g.tenant_id = %(tenant)s AND g.user_id = f.user_id AND g.issuer = f.issuer
  AND g.account = f.account AND g.tokens IS NULL AND g.external_id IS NOT NULL
  AND (g.external_id <> f.external OR g.scopes <> f.scopes
    OR (g.revoked_at IS NOT NULL AND g.refreshed_at IS DISTINCT FROM f.changed))
RETURNING g.grant_id;

-- name: add_connections
WITH made AS (
  INSERT INTO headrace.connections (tenant_id, user_id, connection_id, provider, name, config,
    addresses, trusted, grant_id, found_by)
  SELECT %(tenant)s, f.user_id, gen_random_uuid()::text, p.provider, p.provider || ':' || f.account,
    '{}', '{}', false, g.grant_id, g.grant_id
  FROM found f
  JOIN headrace.grants g ON g.tenant_id = %(tenant)s AND g.external_id = f.external
    AND g.user_id = f.user_id AND g.issuer = f.issuer AND g.account = f.account AND g.tokens IS NULL
  CROSS JOIN unnest(f.providers) AS p (provider)
  WHERE NOT EXISTS (SELECT FROM headrace.connections c WHERE c.tenant_id = %(tenant)s
    AND c.found_by = g.grant_id AND c.provider = p.provider)
  ON CONFLICT DO NOTHING
  RETURNING tenant_id, user_id, connection_id
)
INSERT INTO headrace.schedules (tenant_id, schedule_id, user_id, kind, connection_id, spec,
  every_seconds, next_at)
SELECT tenant_id, gen_random_uuid()::text, user_id, 'sync', connection_id, %(spec)s, %(every)s, now()
FROM made;

-- name: bring_back
-- What a person has paused stays so.
WITH back AS (
  UPDATE headrace.connections c
  SET health = 'active', health_reason = NULL, health_hint = NULL
  FROM headrace.grants g, found f
  WHERE c.tenant_id = %(tenant)s AND c.grant_id = ANY(%(grants)s)
    AND g.tenant_id = c.tenant_id AND g.grant_id = c.grant_id
    AND f.external = g.external_id AND c.provider = ANY(f.providers)
    AND (c.health = 'needs_reauth' OR (c.health = 'paused' AND c.health_reason = %(reason)s))
  RETURNING c.tenant_id, c.connection_id
), due AS (
  UPDATE headrace.schedules s SET next_at = now() FROM back
  WHERE s.tenant_id = back.tenant_id AND s.connection_id = back.connection_id
)
SELECT connection_id FROM back;

-- name: pause_gone
UPDATE headrace.connections c
SET health = 'paused', health_reason = %(reason)s, health_hint = %(hint)s
FROM headrace.grants g
WHERE c.tenant_id = %(tenant)s AND g.tenant_id = c.tenant_id AND g.grant_id = c.grant_id
  AND g.external_id IS NOT NULL AND g.tokens IS NULL AND c.health <> 'paused'
  AND NOT EXISTS (SELECT FROM found f
    WHERE f.external = g.external_id AND c.provider = ANY(f.providers));

-- name: pause_elsewhere
-- There is one application: whatever was found of it for another tenant was found before.
UPDATE headrace.connections c
SET health = 'paused', health_reason = %(moved)s, health_hint = %(moved_hint)s
FROM headrace.grants g
WHERE g.tenant_id <> %(tenant)s AND g.tenant_id = c.tenant_id AND g.grant_id = c.grant_id
  AND g.external_id IS NOT NULL AND g.tokens IS NULL AND c.health <> 'paused';

-- name: bring_home
WITH back AS (
  UPDATE headrace.connections c
  SET health = 'active', health_reason = NULL, health_hint = NULL
  FROM headrace.grants g, found f
  WHERE c.tenant_id = %(tenant)s AND c.health = 'paused' AND c.health_reason = %(moved)s
    AND g.tenant_id = c.tenant_id AND g.grant_id = c.grant_id
    AND f.external = g.external_id AND c.provider = ANY(f.providers)
  RETURNING c.tenant_id, c.connection_id
), due AS (
  UPDATE headrace.schedules s SET next_at = now() FROM back
  WHERE s.tenant_id = back.tenant_id AND s.connection_id = back.connection_id
)
SELECT connection_id FROM back;

-- name: end_gone
-- Without a time: whatever the row says when it is back, it is new.
UPDATE headrace.grants g SET revoked_at = coalesce(revoked_at, now()), refreshed_at = NULL
WHERE g.tenant_id = %(tenant)s AND g.external_id IS NOT NULL AND g.tokens IS NULL
  AND (g.revoked_at IS NULL OR g.refreshed_at IS NOT NULL)
  AND NOT EXISTS (SELECT FROM found f WHERE f.external = g.external_id);
