-- Contacts as people see and steer them. Those under row-level security name no tenant; those that
-- are asked as the owner of the tables do.

-- name: listing
SELECT c.* FROM headrace.contacts c
WHERE (%(ids)s::uuid[] IS NULL OR contact_id = ANY(%(ids)s::uuid[]))
  AND (coalesce(last_seen_at, '-infinity'), contact_id)
    < (coalesce(%(at)s::timestamptz, 'infinity'),
       coalesce(%(after)s::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
ORDER BY coalesce(last_seen_at, '-infinity') DESC, contact_id DESC
LIMIT %(limit)s;

-- name: matching
-- As the owner: no index of words is used under row-level security.
SELECT contact_id FROM headrace.contact_identities
WHERE tenant_id = %(tenant)s AND (%(user)s::text IS NULL OR user_id = %(user)s)
  AND contact_id IS NOT NULL AND lower(coalesce(name, '') || ' ' || value) LIKE lower(%(like)s)
GROUP BY contact_id ORDER BY max(last_seen_at) DESC NULLS LAST LIMIT 1000;

-- name: asking
SELECT nullif(current_setting('headrace.tenant', true), '') AS tenant,
  nullif(current_setting('headrace.user', true), '') AS "user";

-- name: one
-- Any identity's id finds its contact.
SELECT c.* FROM headrace.contacts c
WHERE c.contact_id = (SELECT i.contact_id FROM headrace.contact_identities i
  WHERE i.identity_id = %(id)s);

-- name: identities
SELECT i.*, (SELECT count(DISTINCT (p.stream_id, p.source_id)) FROM headrace.participants p
    WHERE p.identity_id = i.identity_id) AS interactions
FROM headrace.contact_identities i WHERE i.contact_id = %(id)s
ORDER BY i.last_seen_at DESC NULLS LAST, i.value;

-- name: links
SELECT DISTINCT ON (first_id, second_id) link_id, first_id, second_id, decision, rule, decided_by,
  score, evidence, created_at
FROM headrace.contact_links
WHERE first_id = ANY(%(ids)s::uuid[]) AND second_id = ANY(%(ids)s::uuid[])
ORDER BY first_id, second_id, decided_by <> 'rule' DESC, link_id DESC;

-- name: suggestions
-- Still open: nothing newer and nobody has decided, and they are two contacts yet.
SELECT l.link_id, l.rule, l.score, l.evidence, l.created_at, a.contact_id AS first_contact_id,
  b.contact_id AS second_contact_id, l.first_id, l.second_id
FROM headrace.contact_links l
JOIN headrace.contact_identities a ON a.identity_id = l.first_id AND a.tenant_id = l.tenant_id
JOIN headrace.contact_identities b ON b.identity_id = l.second_id AND b.tenant_id = l.tenant_id
WHERE l.decision = 'suggested' AND a.contact_id <> b.contact_id
  AND (l.score, l.link_id) < (coalesce(%(score)s::real, 2), coalesce(%(after)s::bigint, 0))
  AND (%(link_id)s::bigint IS NULL OR l.link_id = %(link_id)s)
  AND NOT EXISTS (SELECT FROM headrace.contact_links n
    WHERE n.first_id = l.first_id AND n.second_id = l.second_id AND n.tenant_id = l.tenant_id
      AND (n.decided_by <> 'rule' OR n.link_id > l.link_id))
ORDER BY l.score DESC, l.link_id DESC
LIMIT %(limit)s;

-- name: everybody
SELECT identity_id, contact_id FROM headrace.contact_identities WHERE contact_id IS NOT NULL;

-- name: all_links
SELECT DISTINCT ON (first_id, second_id) first_id, second_id, decision, score,
  decided_by <> 'rule' AS by_person
FROM headrace.contact_links
ORDER BY first_id, second_id, decided_by <> 'rule' DESC, link_id DESC;

-- name: members
SELECT identity_id, contact_id, user_id FROM headrace.contact_identities
WHERE tenant_id = %(tenant)s AND contact_id = ANY(%(ids)s::uuid[]) ORDER BY identity_id;

-- name: extracting
SELECT * FROM headrace.jobs WHERE tenant_id = %(tenant)s AND user_id = %(user)s AND kind = %(kind)s
  AND status IN ('PENDING', 'RUNNING') LIMIT 1;

-- name: to_extract
-- Batches with an interaction that nobody has been made of yet, or a deletion that some are left of.
-- Of some nobody ever is: whoever goes through them does so by their numbers.
SELECT i.batch_id FROM headrace.interactions i
WHERE i.tenant_id = %(tenant)s AND i.user_id = %(user)s AND i.people::text <> '[]'
  AND i.batch_id > %(after)s
  AND NOT EXISTS (SELECT FROM headrace.participants p WHERE p.tenant_id = i.tenant_id
    AND p.stream_id = i.stream_id AND p.source_id = i.source_id AND p.version = i.version)
UNION
SELECT r.batch_id FROM headrace.participants p
JOIN headrace.raw_events r USING (tenant_id, stream_id, source_id)
WHERE p.tenant_id = %(tenant)s AND p.user_id = %(user)s AND r.version > p.version
  AND r.batch_id > %(after)s
  AND NOT EXISTS (SELECT FROM headrace.interactions i WHERE i.tenant_id = p.tenant_id
    AND i.stream_id = p.stream_id AND i.source_id = p.source_id)
ORDER BY batch_id LIMIT %(limit)s;

-- name: contact_of
SELECT i.contact_id FROM unnest(%(ids)s::uuid[]) WITH ORDINALITY AS n (identity_id, at)
JOIN headrace.contact_identities i
  ON i.identity_id = n.identity_id AND i.tenant_id = %(tenant)s
WHERE i.contact_id IS NOT NULL ORDER BY n.at;
