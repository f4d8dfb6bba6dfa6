-- From a derived row to what it was made of, and back. Row-level security says whose rows these are.

-- name: raw
-- Every version of a record, newest first, with the batch that brought it, and without its bytes.
SELECT r.stream_id, r.source_id, r.version, encode(r.content_hash, 'hex') AS content_hash,
  r.occurred_at, octet_length(r.payload) AS bytes, r.content_hash = '' AS gone,
  r.mends IS NOT NULL AS mended,
  r.batch_id, b.committed_at, b.slice, b.walk, b.pages, b.fetched, b.inserted, b.unchanged,
  b.dead_lettered, b.cursor_before, b.cursor_after, b.job_id
FROM headrace.raw_events r
LEFT JOIN headrace.batches b ON b.tenant_id = r.tenant_id AND b.batch_id = r.batch_id
WHERE r.stream_id = %(stream_id)s AND r.source_id = %(source_id)s
ORDER BY r.version DESC LIMIT %(limit)s;

-- name: by_content
SELECT r.source_id, max(r.version) AS version FROM headrace.raw_events r
WHERE r.stream_id = %(stream_id)s AND r.content_hash = %(content_hash)s
GROUP BY r.source_id ORDER BY r.source_id LIMIT %(limit)s;

-- name: source
SELECT s.stream_id, s.name AS stream, s.content, c.connection_id, c.name AS connection, c.provider,
  c.account
FROM headrace.streams s
JOIN headrace.connections c ON c.tenant_id = s.tenant_id AND c.connection_id = s.connection_id
WHERE s.stream_id = %(stream_id)s;

-- name: jobs
SELECT job_id, kind, status, turn, attempts, created_at, started_at, completed_at
FROM headrace.jobs WHERE job_id = ANY(%(job_ids)s::text[]) ORDER BY created_at;

-- name: stage_runs
SELECT batch_id, stage, version, rows_in, rows_out, dead_lettered, duration_ms, error, finished_at
FROM headrace.stage_runs
WHERE batch_id = ANY(%(batch_ids)s::bigint[]) ORDER BY batch_id DESC, finished_at, stage;

-- name: letters
-- Of the record itself, and of whole batches that it was in.
SELECT dead_letter_id, stage, source_id, version, batch_id, reason, hint, attempts, state,
  created_at, resolved_at
FROM headrace.dead_letters
WHERE stream_id = %(stream_id)s AND (source_id = %(source_id)s
  OR batch_id = ANY(%(batch_ids)s::bigint[]) AND source_id = 'batch/' || batch_id)
ORDER BY dead_letter_id DESC LIMIT %(limit)s;

-- name: chunk
SELECT stream_id, content_hash, position, batch_id, start_at, end_at, page, headings, body, model
FROM headrace.chunks
WHERE stream_id = %(stream_id)s AND content_hash = %(content_hash)s AND position = %(position)s;

-- name: documents_of
SELECT source_id, version, batch_id FROM headrace.documents
WHERE stream_id = %(stream_id)s
  AND (content_hash = %(content_hash)s OR indexed_hash = %(content_hash)s)
ORDER BY source_id LIMIT %(limit)s;

-- name: interactions_of_text
SELECT source_id, version, batch_id FROM headrace.interactions
WHERE stream_id = %(stream_id)s AND text_hash = %(content_hash)s
ORDER BY source_id LIMIT %(limit)s;

-- name: identity
SELECT identity_id, kind, value, provider, name, automated, own, contact_id, first_seen_at,
  last_seen_at
FROM headrace.contact_identities WHERE identity_id = %(id)s;

-- name: contact
-- Any identity's id finds its contact.
SELECT contact_id, name, email, phone, organisation, identities, first_seen_at, last_seen_at
FROM headrace.contacts
WHERE contact_id = coalesce((SELECT i.contact_id FROM headrace.contact_identities i
  WHERE i.identity_id = %(id)s), %(id)s);

-- name: identities
SELECT identity_id, kind, value, provider, name, first_seen_at, last_seen_at
FROM headrace.contact_identities WHERE contact_id = %(id)s ORDER BY first_seen_at, identity_id;

-- name: links
SELECT link_id, first_id, second_id, decision, rule, decided_by, score, evidence, batch_id,
  created_at
FROM headrace.contact_links
WHERE first_id = ANY(%(ids)s::uuid[]) OR second_id = ANY(%(ids)s::uuid[])
ORDER BY link_id DESC LIMIT %(limit)s;

-- name: taken_part
SELECT count(*) AS interactions, min(occurred_at) AS first, max(occurred_at) AS last
FROM (SELECT DISTINCT stream_id, source_id, occurred_at FROM headrace.participants
  WHERE identity_id = ANY(%(ids)s::uuid[])) p;

-- name: interactions_with
SELECT p.stream_id, p.source_id, p.role, p.identity_id, p.occurred_at, p.batch_id, p.version,
  i.subject
FROM headrace.participants p
LEFT JOIN headrace.interactions i ON i.tenant_id = p.tenant_id AND i.stream_id = p.stream_id
  AND i.source_id = p.source_id
WHERE p.identity_id = ANY(%(ids)s::uuid[])
ORDER BY p.occurred_at DESC NULLS LAST, p.stream_id, p.source_id LIMIT %(limit)s;

-- name: participants_of
SELECT p.role, p.identity_id, i.kind, i.value, i.contact_id, c.name AS contact
FROM headrace.participants p
LEFT JOIN headrace.contact_identities i
  ON i.tenant_id = p.tenant_id AND i.identity_id = p.identity_id
LEFT JOIN headrace.contacts c ON c.tenant_id = i.tenant_id AND c.contact_id = i.contact_id
WHERE p.stream_id = %(stream_id)s AND p.source_id = %(source_id)s
ORDER BY p.role, i.value LIMIT %(limit)s;

-- name: chunks_of
-- Of the contents that a record has had, and of the text of its interaction.
SELECT encode(k.content_hash, 'hex') AS content_hash, count(*) AS chunks,
  count(k.embedding) AS embedded, array_agg(DISTINCT k.model) AS models
FROM headrace.chunks k
WHERE k.stream_id = %(stream_id)s AND k.content_hash IN (
  SELECT r.content_hash FROM headrace.raw_events r
  WHERE r.stream_id = %(stream_id)s AND r.source_id = %(source_id)s AND r.content_hash <> ''
  UNION SELECT i.text_hash FROM headrace.interactions i
  WHERE i.stream_id = %(stream_id)s AND i.source_id = %(source_id)s)
GROUP BY k.content_hash;

-- name: made
-- The row of one record in a table. {table} is put in by `headrace.out.why`.
SELECT version, batch_id, {told} AS told FROM {table}
WHERE stream_id = %(stream_id)s AND source_id = %(source_id)s;
