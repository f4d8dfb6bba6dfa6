-- What happened when, newest first, read under row-level security; and who is meant by a name.
-- {found} is one of the queries after `page`, put in by `headrace.out.timeline`.

-- name: page
SELECT t.stream_id, t.source_id, t.occurred_at, t.kind, t.sentence, t.details
FROM ({found}) AS found
JOIN headrace.timeline_events t USING (stream_id, source_id)
ORDER BY found.occurred_at DESC NULLS LAST, stream_id DESC, source_id DESC;

-- name: dated
SELECT occurred_at, stream_id, source_id FROM headrace.timeline_events
WHERE occurred_at >= coalesce(%(since)s, '-infinity'::timestamptz)
  AND occurred_at < coalesce(%(until)s, 'infinity'::timestamptz)
  AND occurred_at <= coalesce(%(at)s, 'infinity'::timestamptz)
  AND (occurred_at, stream_id, source_id)
    < (coalesce(%(at)s, 'infinity'::timestamptz), %(stream_id)s::bigint, %(source_id)s::text)
  AND (%(kinds)s::text[] IS NULL OR kind = ANY(%(kinds)s::text[]))
ORDER BY occurred_at DESC, stream_id DESC, source_id DESC
LIMIT %(limit)s

-- name: undated
SELECT occurred_at, stream_id, source_id FROM headrace.timeline_events
WHERE occurred_at IS NULL
  AND (stream_id, source_id)
    < (coalesce(%(stream_id)s, 9223372036854775807), coalesce(%(source_id)s, ''))
  AND (%(kinds)s::text[] IS NULL OR kind = ANY(%(kinds)s::text[]))
ORDER BY stream_id DESC, source_id DESC
LIMIT %(limit)s

-- name: dated_of
-- Along each identity's own index no further than a page reaches: somebody may be the sender and
-- in copy at once, and so is made distinct before it is counted.
SELECT DISTINCT one.occurred_at, one.stream_id, one.source_id
FROM unnest(%(identities)s::uuid[]) AS who (identity_id)
CROSS JOIN LATERAL (
  SELECT DISTINCT p.occurred_at, p.stream_id, p.source_id
  FROM headrace.participants p
  JOIN headrace.timeline_events t USING (tenant_id, stream_id, source_id)
  WHERE p.identity_id = who.identity_id
    AND p.occurred_at >= coalesce(%(since)s, '-infinity'::timestamptz)
    AND p.occurred_at < coalesce(%(until)s, 'infinity'::timestamptz)
    AND p.occurred_at <= coalesce(%(at)s, 'infinity'::timestamptz)
    AND (p.occurred_at, p.stream_id, p.source_id)
      < (coalesce(%(at)s, 'infinity'::timestamptz), %(stream_id)s::bigint, %(source_id)s::text)
    AND (%(kinds)s::text[] IS NULL OR t.kind = ANY(%(kinds)s::text[]))
  ORDER BY p.occurred_at DESC, p.stream_id DESC, p.source_id DESC
  LIMIT %(limit)s
) AS one
ORDER BY one.occurred_at DESC, one.stream_id DESC, one.source_id DESC
LIMIT %(limit)s

-- name: undated_of
SELECT DISTINCT p.occurred_at, p.stream_id, p.source_id
FROM headrace.participants p
JOIN headrace.timeline_events t USING (tenant_id, stream_id, source_id)
WHERE p.identity_id = ANY(%(identities)s::uuid[]) AND p.occurred_at IS NULL
  AND (p.stream_id, p.source_id)
    < (coalesce(%(stream_id)s, 9223372036854775807), coalesce(%(source_id)s, ''))
  AND (%(kinds)s::text[] IS NULL OR t.kind = ANY(%(kinds)s::text[]))
ORDER BY p.occurred_at, p.stream_id DESC, p.source_id DESC
LIMIT %(limit)s

-- name: recent
-- What `headrace.engine.recent` has counted, the newest first.
SELECT r.contact_id, c.name, c.email, r.interactions, r.received, r.sent, r.counted_at,
  r.occurred_at, r.stream_id, r.source_id, t.sentence
FROM headrace.recent_interactions r
LEFT JOIN headrace.contacts c USING (tenant_id, contact_id)
LEFT JOIN headrace.timeline_events t USING (tenant_id, stream_id, source_id)
ORDER BY r.occurred_at DESC, r.contact_id
LIMIT %(limit)s;

-- name: of_id
-- Whoever has this identity, by all of theirs; a contact's id is that of one of its identities.
-- Like the next ones it is asked as the owner, with tenant and user spelt out: no index of names
-- serves row-level security.
SELECT i.identity_id FROM headrace.contact_identities asked
JOIN headrace.contact_identities i ON i.tenant_id = asked.tenant_id
  AND (i.identity_id = asked.identity_id OR i.contact_id = asked.contact_id)
WHERE asked.identity_id = %(named)s::uuid AND asked.tenant_id = %(tenant)s
  AND (%(user)s::text IS NULL OR asked.user_id = %(user)s)
ORDER BY i.identity_id LIMIT %(most)s;

-- name: of_value
SELECT DISTINCT i.identity_id FROM headrace.contact_identities asked
JOIN headrace.contact_identities i ON i.tenant_id = asked.tenant_id
  AND (i.identity_id = asked.identity_id OR i.contact_id = asked.contact_id)
WHERE asked.value = lower(%(named)s) AND asked.kind IN ('email', 'phone', 'github')
  AND asked.tenant_id = %(tenant)s AND (%(user)s::text IS NULL OR asked.user_id = %(user)s)
ORDER BY i.identity_id LIMIT %(most)s;

-- name: of_name
-- The whole name, or a part of it where nobody is called just that.
WITH called AS MATERIALIZED (
  SELECT identity_id, contact_id, name FROM headrace.contact_identities
  WHERE lower(name) LIKE %(like)s AND tenant_id = %(tenant)s
    AND (%(user)s::text IS NULL OR user_id = %(user)s)
  UNION ALL
  SELECT contact_id, contact_id, name FROM headrace.contacts
  WHERE lower(name) LIKE %(like)s AND tenant_id = %(tenant)s
    AND (%(user)s::text IS NULL OR user_id = %(user)s)
), meant AS (
  SELECT * FROM called WHERE lower(name) = lower(%(named)s)
    OR NOT EXISTS (SELECT FROM called WHERE lower(name) = lower(%(named)s))
)
SELECT identity_id FROM meant
UNION
SELECT i.identity_id FROM headrace.contact_identities i
WHERE i.tenant_id = %(tenant)s AND i.contact_id IN (SELECT contact_id FROM meant)
ORDER BY identity_id LIMIT %(most)s;
