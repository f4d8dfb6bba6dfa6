-- Connections that discovery has found: those whose grant is the one that they were made of.

-- name: step_aside
UPDATE headrace.connections c
SET health = 'paused', health_hint = %(hint)s,
    health_reason = format('The account %%s is connected already, as %%s.', o.account, o.name)
FROM headrace.connections o
WHERE c.connection_id = %(connection)s AND c.found_by = c.grant_id
  AND o.tenant_id = c.tenant_id AND o.user_id = c.user_id AND o.provider = c.provider
  AND o.account = c.account AND o.health <> 'paused' AND (o.found_by = o.grant_id) IS NOT TRUE
RETURNING c.health_reason AS reason;

-- name: adopt
-- What a person has paused stays so, and what has stepped aside is another's double.
UPDATE headrace.connections c
SET name = %(name)s,
    health = CASE WHEN health_reason = ANY(%(reasons)s) THEN 'active' ELSE health END
WHERE c.tenant_id = %(tenant)s AND c.user_id = %(user)s AND c.provider = %(provider)s
  AND c.account = %(account)s AND c.found_by = c.grant_id
  AND c.health_hint IS DISTINCT FROM %(twice)s
  AND NOT EXISTS (SELECT FROM headrace.connections o WHERE o.tenant_id = c.tenant_id
    AND o.user_id = c.user_id AND o.name = %(name)s);
