-- Who is told of what happens, and what they are told. All times are the database's own.

-- name: tell
-- Everybody who wants it gets the same message, under the same id.
WITH news AS MATERIALIZED (
  SELECT *, 'msg_' || replace(gen_random_uuid()::text, '-', '') AS message
  FROM unnest(%(tenants)s::text[], %(users)s::text[], %(events)s::text[], %(subjects)s::text[],
    %(datas)s::jsonb[]) WITH ORDINALITY AS n (tenant, owner, event, subject, data, at)
)
INSERT INTO headrace.webhook_deliveries (tenant_id, user_id, webhook_id, message_id, event, subject,
  data)
SELECT n.tenant, n.owner, w.webhook_id, n.message, n.event, n.subject, n.data
FROM news n
JOIN headrace.webhooks w ON w.tenant_id = n.tenant AND n.event = ANY(w.events)
  AND (w.key_user IS NULL OR w.key_user = n.owner) AND NOT w.paused
ORDER BY n.at, w.webhook_id;

-- name: add
INSERT INTO headrace.webhooks (tenant_id, webhook_id, user_id, key_user, url, name, events, secrets,
  trusted)
VALUES (%(tenant)s, %(id)s, %(user)s, %(key_user)s, %(url)s, %(name)s, %(events)s, %(secrets)s,
  %(trusted)s);

-- name: change
UPDATE headrace.webhooks
SET name = %(name)s, events = %(events)s,
    failures = CASE WHEN paused AND NOT %(paused)s THEN 0 ELSE failures END,
    quiet_until = CASE WHEN paused AND NOT %(paused)s THEN NULL ELSE quiet_until END,
    reason = CASE WHEN NOT %(paused)s THEN NULL WHEN paused THEN reason
      ELSE 'Somebody has paused it.' END,
    paused = %(paused)s
WHERE webhook_id = %(id)s;

-- name: hold
SELECT secrets FROM headrace.webhooks WHERE webhook_id = %(id)s FOR UPDATE;

-- name: rotate
UPDATE headrace.webhooks SET secrets = %(secrets)s WHERE webhook_id = %(id)s;

-- name: remove
WITH gone AS (DELETE FROM headrace.webhook_deliveries WHERE webhook_id = %(id)s)
DELETE FROM headrace.webhooks WHERE webhook_id = %(id)s;

-- name: listing
SELECT w.*, p.pending, f.failed, l.last_at
FROM headrace.webhooks w
CROSS JOIN LATERAL (SELECT count(*) AS pending FROM (SELECT FROM headrace.webhook_deliveries d
  WHERE d.webhook_id = w.webhook_id AND d.state = 'pending' LIMIT 1000) few) p
CROSS JOIN LATERAL (SELECT count(*) AS failed FROM (SELECT FROM headrace.webhook_deliveries d
  WHERE d.tenant_id = w.tenant_id AND d.webhook_id = w.webhook_id AND d.state = 'failed'
  LIMIT 1000) few) f
LEFT JOIN LATERAL (SELECT d.delivered_at AS last_at FROM headrace.webhook_deliveries d
  WHERE d.tenant_id = w.tenant_id AND d.webhook_id = w.webhook_id AND d.state = 'delivered'
  ORDER BY d.delivery_id DESC LIMIT 1) l ON true
WHERE (%(id)s::text IS NULL OR w.webhook_id = %(id)s)
  AND (%(at)s::timestamptz IS NULL OR (w.created_at, w.webhook_id) > (%(at)s, %(after)s))
ORDER BY w.created_at, w.webhook_id LIMIT %(limit)s;

-- name: claim
-- Of what waits on one subject only the oldest may go: while somebody has it in hand, it waits
-- still, and those behind it with it. An endpoint that is away is tried with one message.
WITH heads AS MATERIALIZED (
  SELECT h.tenant_id, h.delivery_id, w.failures,
    row_number() OVER (PARTITION BY w.webhook_id ORDER BY h.next_at, h.delivery_id) AS nth
  FROM headrace.webhooks w
  CROSS JOIN LATERAL (
    SELECT DISTINCT ON (d.subject) d.tenant_id, d.delivery_id, d.next_at
    FROM headrace.webhook_deliveries d
    WHERE d.webhook_id = w.webhook_id AND d.state = 'pending'
    ORDER BY d.subject, d.delivery_id) h
  WHERE NOT w.paused AND (w.quiet_until IS NULL OR w.quiet_until <= now())
    AND w.webhook_id <> ALL(%(busy)s::text[]) AND h.next_at <= now()
), chosen AS (
  SELECT d.tenant_id, d.delivery_id
  FROM heads h JOIN headrace.webhook_deliveries d USING (tenant_id, delivery_id)
  WHERE d.state = 'pending' AND d.next_at <= now()
    AND h.nth <= CASE WHEN h.failures > 0 THEN 1 ELSE %(abreast)s END
  ORDER BY h.nth, d.next_at LIMIT %(most)s FOR UPDATE OF d SKIP LOCKED
)
UPDATE headrace.webhook_deliveries d
SET attempts = d.attempts + 1, tried_at = now(),
    next_at = now() + %(lease)s * interval '1 second'
FROM chosen c, headrace.webhooks w
WHERE d.tenant_id = c.tenant_id AND d.delivery_id = c.delivery_id AND w.webhook_id = d.webhook_id
RETURNING d.*, w.url, w.secrets, w.trusted, w.failures;

-- name: claim_one
UPDATE headrace.webhook_deliveries d
SET attempts = d.attempts + 1, tried_at = now(),
    next_at = now() + %(lease)s * interval '1 second'
FROM headrace.webhooks w
WHERE d.delivery_id = %(id)s AND d.state = 'pending' AND d.next_at <= now()
  AND w.webhook_id = d.webhook_id
RETURNING d.*, w.url, w.secrets, w.trusted, w.failures;

-- name: note
-- Whoever was thought dead and comes back finds that another one has tried meanwhile.
UPDATE headrace.webhook_deliveries
SET state = CASE WHEN %(fine)s THEN 'delivered'
      WHEN %(gone)s OR asked_at < now() - %(hours)s * interval '1 hour' THEN 'failed'
      ELSE 'pending' END,
    next_at = now() + %(wait)s * interval '1 second',
    status = %(status)s, answer = %(answer)s, took_ms = %(ms)s,
    delivered_at = CASE WHEN %(fine)s THEN now() ELSE delivered_at END,
    history = headrace.told(history, jsonb_build_object('at', now(), 'status', %(status)s::int,
      'answer', left(%(answer)s::text, 200), 'ms', %(ms)s::int))
WHERE tenant_id = %(tenant)s AND delivery_id = %(id)s AND tried_at = %(tried_at)s
  AND state = 'pending'
RETURNING webhook_id;

-- name: note_failure
UPDATE headrace.webhooks
SET failures = failures + 1,
    quiet_until = CASE WHEN %(away)s THEN now() + %(quiet)s * interval '1 second' END,
    paused = paused OR %(gone)s, reason = CASE WHEN %(gone)s THEN %(closed)s ELSE reason END
WHERE webhook_id = %(webhook_id)s AND (%(away)s OR %(gone)s);

-- name: note_back
-- It answers again: what has waited for it longest need not wait on, but for what is in hand.
WITH back AS (
  UPDATE headrace.webhooks SET failures = 0, quiet_until = NULL
  WHERE webhook_id = %(webhook_id)s AND failures > 0
  RETURNING webhook_id
)
UPDATE headrace.webhook_deliveries d SET next_at = now() FROM back
WHERE d.webhook_id = back.webhook_id AND d.state = 'pending' AND d.next_at > now()
  AND d.tried_at < now() - %(lease)s * interval '1 second';

-- name: give_up
UPDATE headrace.webhook_deliveries
SET state = 'failed', answer = coalesce(answer, 'It was never tried: the endpoint was away.')
WHERE state = 'pending' AND asked_at < now() - %(hours)s * interval '1 hour'
  AND (tried_at IS NULL OR tried_at < now() - %(lease)s * interval '1 second');

-- name: forget
DELETE FROM headrace.webhook_deliveries WHERE (tenant_id, delivery_id) IN (
  SELECT tenant_id, delivery_id FROM headrace.webhook_deliveries
  WHERE state <> 'pending' AND coalesce(tried_at, asked_at) < now() - %(days)s * interval '1 day'
  LIMIT 1000);

-- name: test
INSERT INTO headrace.webhook_deliveries (tenant_id, user_id, webhook_id, message_id, event, subject,
  data)
SELECT %(tenant)s, %(user)s, %(webhook)s, id, %(event)s, 'test/' || id, %(data)s
FROM (SELECT 'msg_' || replace(gen_random_uuid()::text, '-', '') AS id) made
RETURNING delivery_id;

-- name: redeliver
-- Somebody asks: an endpoint that was left alone is tried at once.
WITH heard AS (UPDATE headrace.webhooks SET quiet_until = NULL WHERE webhook_id = %(webhook)s)
UPDATE headrace.webhook_deliveries
SET state = 'pending', attempts = 0, next_at = now(), asked_at = now()
WHERE webhook_id = %(webhook)s
  AND CASE WHEN %(id)s::bigint IS NULL THEN state = 'failed' ELSE delivery_id = %(id)s END;

-- name: deliveries
SELECT d.*, w.name AS webhook, w.url FROM headrace.webhook_deliveries d
JOIN headrace.webhooks w ON w.tenant_id = d.tenant_id AND w.webhook_id = d.webhook_id
WHERE (%(webhook)s::text IS NULL OR d.webhook_id = %(webhook)s)
  AND (%(state)s::text IS NULL OR d.state = %(state)s)
  AND (%(before)s::bigint IS NULL OR d.delivery_id < %(before)s)
ORDER BY d.delivery_id DESC LIMIT %(limit)s;

-- name: delivery
SELECT d.*, w.name AS webhook, w.url FROM headrace.webhook_deliveries d
JOIN headrace.webhooks w ON w.tenant_id = d.tenant_id AND w.webhook_id = d.webhook_id
WHERE d.delivery_id = %(id)s;
