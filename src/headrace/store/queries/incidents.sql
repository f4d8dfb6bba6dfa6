-- Incidents. What raises and ends them is the service's; row-level security says whose they are to
-- see.

-- name: mine
-- One process looks at a time, and none looks again so soon.
SELECT pg_try_advisory_xact_lock(%(lock)s) AND NOT EXISTS (SELECT FROM headrace.alert_looks
  WHERE looked_at > now() - make_interval(secs => %(at_least)s)) AS mine;

-- name: looked
INSERT INTO headrace.alert_looks AS l (rule, subjects)
SELECT * FROM unnest(%(rules)s::text[], %(subjects)s::int[])
ON CONFLICT (tenant_id, rule) DO UPDATE SET looked_at = now(), subjects = excluded.subjects;

-- name: looks
SELECT rule, looked_at, subjects FROM headrace.alert_looks;

-- name: raise
-- Whoever should raise at the same time all the same, adds nothing.
INSERT INTO headrace.incidents (tenant_id, user_id, rule, subject, said, hint, link)
SELECT * FROM unnest(%(tenants)s::text[], %(users)s::text[], %(rules)s::text[],
  %(subjects)s::text[], %(said)s::text[], %(hints)s::text[], %(links)s::text[])
ON CONFLICT (tenant_id, rule, subject) WHERE over_at IS NULL DO NOTHING
RETURNING *;

-- name: open
SELECT tenant_id, incident_id, rule, subject FROM headrace.incidents
WHERE over_at IS NULL AND rule = ANY(%(looked)s::text[]);

-- name: end
UPDATE headrace.incidents i SET over_at = now(),
  ended = CASE WHEN i.rule = ANY(%(off)s::text[]) THEN 'The rule is off now.'
    ELSE 'It is as it should be again.' END
FROM unnest(%(tenants)s::text[], %(ids)s::text[]) AS gone (tenant, id)
WHERE i.tenant_id = gone.tenant AND i.incident_id = gone.id AND i.over_at IS NULL
RETURNING i.*;

-- name: tidy
WITH gone AS (
  DELETE FROM headrace.incidents WHERE (tenant_id, incident_id) IN (
    SELECT tenant_id, incident_id FROM headrace.incidents
    WHERE over_at < now() - make_interval(secs => %(seconds)s) LIMIT 1000)
  RETURNING tenant_id, incident_id)
DELETE FROM headrace.alert_deliveries d USING gone
WHERE d.tenant_id = gone.tenant_id AND d.incident_id = gone.incident_id;

-- name: listing
SELECT * FROM headrace.incidents
WHERE (%(open)s::bool IS NULL OR (over_at IS NULL) = %(open)s)
  AND (%(rule)s::text IS NULL OR rule = %(rule)s)
  AND (%(at)s::timestamptz IS NULL OR (raised_at, incident_id) < (%(at)s, %(id)s))
ORDER BY raised_at DESC, incident_id DESC LIMIT %(limit)s;

-- name: standing
-- What is open and has not been put off: what somebody has taken up comes last.
SELECT *, count(*) OVER () AS whole FROM headrace.incidents
WHERE over_at IS NULL AND (snoozed_until IS NULL OR snoozed_until <= now())
ORDER BY acknowledged_at IS NOT NULL, raised_at DESC, incident_id LIMIT %(limit)s;

-- name: get
SELECT * FROM headrace.incidents WHERE incident_id = %(id)s;

-- name: acknowledge
UPDATE headrace.incidents SET acknowledged_at = now(), acknowledged_by = %(by)s
WHERE incident_id = %(id)s AND over_at IS NULL RETURNING *;

-- name: snooze
UPDATE headrace.incidents SET snoozed_until = now() + make_interval(secs => %(seconds)s)
WHERE incident_id = %(id)s AND over_at IS NULL RETURNING *;

-- name: address
-- Each channel is to be told of each of these incidents.
INSERT INTO headrace.alert_deliveries (tenant_id, user_id, incident_id, event, channel)
SELECT n.tenant, n.owner, n.incident, n.event, c.channel
FROM unnest(%(tenants)s::text[], %(users)s::text[], %(incidents)s::text[], %(events)s::text[])
  AS n (tenant, owner, incident, event)
CROSS JOIN unnest(%(channels)s::text[]) AS c (channel)
ON CONFLICT DO NOTHING;

-- name: claim
-- The next thing that a channel is to be told. Whoever dies with it has it tried again when the
-- lease is over. That something is over is told after that it was raised.
UPDATE headrace.alert_deliveries d
SET attempts = attempts + 1, due_at = now() + make_interval(secs => %(lease)s)
FROM headrace.incidents i
WHERE i.tenant_id = d.tenant_id AND i.incident_id = d.incident_id
  AND (d.tenant_id, d.delivery_id) = (
    SELECT w.tenant_id, w.delivery_id FROM headrace.alert_deliveries w
    WHERE w.state = 'pending' AND w.due_at <= now() AND w.channel = %(channel)s
      AND (w.event = 'alert.raised' OR NOT EXISTS (SELECT FROM headrace.alert_deliveries r
        WHERE r.tenant_id = w.tenant_id AND r.incident_id = w.incident_id
          AND r.channel = w.channel AND r.event = 'alert.raised' AND r.state = 'pending'))
    ORDER BY w.due_at, w.event DESC LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING d.*, extract(epoch FROM now() - d.asked_at)::float AS seconds, i.rule, i.said, i.hint,
  i.link, i.raised_at, i.over_at, i.ended;

-- name: told
-- Nothing is changed where somebody has asked for it to be sent again meanwhile.
UPDATE headrace.alert_deliveries
SET state = %(state)s, answer = %(answer)s, due_at = now() + make_interval(secs => %(wait)s),
  told_at = CASE WHEN %(state)s = 'delivered' THEN now() ELSE told_at END
WHERE tenant_id = %(tenant)s AND delivery_id = %(id)s AND attempts = %(attempts)s
  AND asked_at = %(asked_at)s;

-- name: give_up
-- What is for channels that no process has any more.
UPDATE headrace.alert_deliveries
SET state = 'failed', answer = 'HEADRACE_ALERT_URLS does not name this channel any more.'
WHERE state = 'pending' AND channel <> ALL(%(channels)s::text[])
  AND due_at < now() - make_interval(secs => %(seconds)s);

-- name: deliveries
SELECT d.*, i.rule, i.said FROM headrace.alert_deliveries d
JOIN headrace.incidents i USING (tenant_id, incident_id)
WHERE (%(at)s::timestamptz IS NULL OR (d.asked_at, d.delivery_id) < (%(at)s, %(id)s))
ORDER BY d.asked_at DESC, d.delivery_id DESC LIMIT %(limit)s;

-- name: delivery
SELECT d.*, i.rule, i.said FROM headrace.alert_deliveries d
JOIN headrace.incidents i USING (tenant_id, incident_id) WHERE d.delivery_id = %(id)s;

-- name: redeliver
UPDATE headrace.alert_deliveries
SET state = 'pending', attempts = 0, due_at = now(), asked_at = now(), answer = NULL
WHERE delivery_id = %(id)s RETURNING *;
