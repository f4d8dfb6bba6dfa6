-- What people have said, and their meetings, by meaning. As in search.sql, candidates are found as
-- the owner, with tenant and user spelt out, as keys and scores only.

-- name: any
-- Whether there is anything to find.
SELECT EXISTS (SELECT FROM headrace.chunks WHERE kind = 'interactions' AND tenant_id = %(tenant)s
  AND (%(user)s::text IS NULL OR user_id = %(user)s)) AS there;

-- name: wanted
-- What an interaction must be: part of the others, put in by `headrace.out.said`.
i.tenant_id = %(tenant)s AND (%(user)s::text IS NULL OR i.user_id = %(user)s)
  AND (%(streams)s::bigint[] IS NULL OR i.stream_id = ANY(%(streams)s::bigint[]))
  AND (%(since)s::timestamptz IS NULL OR i.occurred_at >= %(since)s)
  AND (%(until)s::timestamptz IS NULL OR i.occurred_at < %(until)s)
  AND (%(meetings)s::bool IS NULL
       OR (i.source IN ('calendar', 'google_calendar')) = %(meetings)s)
  AND (%(unwanted)s::text = '' OR NOT i.search @@ %(unwanted)s::tsquery)
  AND (%(phrases)s::text IS NULL OR i.search @@ %(phrases)s::tsquery)

-- name: in_time
-- The candidates where only some time is asked for: part of the others too.
SELECT i.stream_id, i.text_hash FROM headrace.interactions i
WHERE i.text_hash IS NOT NULL AND {wanted}
LIMIT %(few)s + 1

-- name: meetings
-- Where only meetings are asked for, of which there are few among much mail.
SELECT i.stream_id, i.text_hash FROM headrace.calendar_events c
JOIN headrace.interactions i USING (tenant_id, stream_id, source_id)
WHERE c.tenant_id = %(tenant)s AND (%(user)s::text IS NULL OR c.user_id = %(user)s)
  AND i.text_hash IS NOT NULL AND {wanted}
LIMIT %(few)s + 1

-- name: of_people
-- And where somebody is: the newest of what they took part in.
SELECT i.stream_id, i.text_hash FROM (
  SELECT p.stream_id, p.source_id FROM headrace.participants p
  WHERE p.identity_id = ANY(%(identities)s::uuid[]) AND p.tenant_id = %(tenant)s
    AND (%(since)s::timestamptz IS NULL OR p.occurred_at >= %(since)s)
    AND (%(until)s::timestamptz IS NULL OR p.occurred_at < %(until)s)
  GROUP BY p.stream_id, p.source_id
  ORDER BY max(p.occurred_at) DESC NULLS LAST
  LIMIT %(few)s
) AS took_part
JOIN headrace.interactions i USING (stream_id, source_id)
WHERE i.text_hash IS NOT NULL AND {wanted}

-- name: how_many
SELECT count(*) AS n FROM ({mine}) AS mine;

-- name: among
-- Of a few thousand candidates the nearest, by looking at each.
WITH mine AS MATERIALIZED (SELECT DISTINCT stream_id, text_hash FROM ({mine}) AS mine)
SELECT k.stream_id, k.content_hash, k.position,
  -(k.embedding::halfvec({dimensions}) <#> {vector}::halfvec({dimensions})) AS score
FROM mine
JOIN headrace.chunks k ON k.tenant_id = %(tenant)s AND k.stream_id = mine.stream_id
  AND k.content_hash = mine.text_hash
WHERE k.model = {model} AND k.kind = 'interactions'
ORDER BY score DESC LIMIT %(pool)s;

-- name: nearest
-- Along the model's own index, as far as it takes to find enough.
SELECT k.stream_id, k.content_hash, k.position,
  -(k.embedding::halfvec({dimensions}) <#> {vector}::halfvec({dimensions})) AS score
FROM headrace.chunks k
WHERE k.model = {model} AND k.kind = 'interactions' AND k.tenant_id = %(tenant)s
  AND (%(user)s::text IS NULL OR k.user_id = %(user)s)
  AND (%(streams)s::bigint[] IS NULL OR k.stream_id = ANY(%(streams)s::bigint[]))
  AND (NOT %(filtered)s::bool OR EXISTS (SELECT FROM headrace.interactions i
    WHERE i.stream_id = k.stream_id AND i.text_hash = k.content_hash AND {wanted}))
ORDER BY k.embedding::halfvec({dimensions}) <#> {vector}::halfvec({dimensions})
LIMIT %(pool)s;

-- name: who
-- Whose words those are: the newest few of each text, for "Thank you!" is said a thousand times.
SELECT near.at, said.stream_id, said.source_id, said.meeting
FROM unnest(%(stream_ids)s::bigint[], %(hashes)s::bytea[]) WITH ORDINALITY
  AS near (stream_id, content_hash, at)
CROSS JOIN LATERAL (
  SELECT i.stream_id, i.source_id, i.source IN ('calendar', 'google_calendar') AS meeting
  FROM headrace.interactions i
  WHERE i.stream_id = near.stream_id AND i.text_hash = near.content_hash AND {wanted}
    AND (%(identities)s::uuid[] IS NULL OR EXISTS (SELECT FROM headrace.participants p
      WHERE p.tenant_id = i.tenant_id AND p.stream_id = i.stream_id AND p.source_id = i.source_id
        AND p.identity_id = ANY(%(identities)s::uuid[])))
  ORDER BY i.occurred_at DESC NULLS LAST, i.source_id LIMIT 3
) AS said
ORDER BY near.at;

-- name: told
-- Who took part in it, and the beginning of what was said. Read as people. Meetings are among them.
SELECT i.stream_id, i.source_id, i.people, i.from_name, i.from_address, i.to_addresses,
  left(coalesce(nullif(i.unquoted, ''), i.body), %(characters)s) AS text
FROM unnest(%(streams)s::bigint[], %(sources)s::text[]) AS wanted (stream_id, source_id)
JOIN headrace.interactions i USING (stream_id, source_id);
