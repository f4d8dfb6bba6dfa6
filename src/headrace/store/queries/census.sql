-- Listings of everything: what was there, and what is gone by the end of one.

-- name: begin
DELETE FROM headrace.seen
WHERE tenant_id = %(tenant)s AND stream_id = %(stream_id)s;

-- name: note
INSERT INTO headrace.seen (tenant_id, user_id, stream_id, source_id)
SELECT %(tenant)s, %(user)s, %(stream_id)s, id FROM unnest(%(ids)s::text[]) AS given (id)
ON CONFLICT DO NOTHING;

-- name: sweep
-- A tombstone for every record that is there and was not on the list.
WITH newest AS (
  SELECT DISTINCT ON (source_id) source_id, version, content_hash FROM headrace.raw_events
  WHERE tenant_id = %(tenant)s AND stream_id = %(stream_id)s
  ORDER BY source_id, version DESC
)
INSERT INTO headrace.raw_events (tenant_id, user_id, stream_id, batch_id, version, source_id,
  content_hash, occurred_at, payload)
SELECT %(tenant)s, %(user)s, %(stream_id)s, %(batch_id)s, version + 1, source_id, '', NULL, ''
FROM newest n
WHERE content_hash <> '' AND NOT EXISTS (SELECT FROM headrace.seen s
  WHERE s.tenant_id = %(tenant)s AND s.stream_id = %(stream_id)s AND s.source_id = n.source_id)
RETURNING source_id;
