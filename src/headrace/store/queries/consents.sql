-- Consents that were asked for.

-- name: ask
INSERT INTO headrace.consents (tenant_id, state_hash, user_id, issuer, asked, verifier)
VALUES (%(tenant)s, %(state)s, %(user)s, %(issuer)s, %(asked)s, %(verifier)s);

-- name: take
-- A state is good once, and not for long; those that nobody came back with go with it.
WITH old AS (
  DELETE FROM headrace.consents WHERE created_at < now() - make_interval(secs => %(seconds)s)
)
DELETE FROM headrace.consents
WHERE state_hash = %(state)s 
  AND (%(tenant)s::text IS NULL OR tenant_id = %(tenant)s)
  AND (%(user)s::text IS NULL OR user_id = %(user)s)
  AND created_at >= now() - make_interval(secs => %(seconds)s)
RETURNING *;
