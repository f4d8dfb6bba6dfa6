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
