-- Full-text search. The index of words cannot serve row-level security: PostgreSQL does not trust
-- `@@` to keep what it sees to itself, and so would read every row of the tenant first. Candidates
-- are therefore found by the owner, with tenant and user spelt out, as keys and scores only; what
-- is shown of them is then read by the people's role, and row-level security has the last word.
--
-- {table} is one of the searchable tables, put in by `headrace.out.search`. Meetings are interactions
-- too; they are found as the calendar's events, and not a second time.

-- name: scope
-- Who asks, and for one user the streams that are theirs: rows are found by stream, for no index
-- has the user in it.
WITH asking AS MATERIALIZED (
  SELECT nullif(current_setting('headrace.tenant', true), '') AS tenant,
    nullif(current_setting('headrace.user', true), '') AS "user"
)
SELECT tenant, "user", CASE WHEN "user" IS NOT NULL THEN
    ARRAY(SELECT stream_id FROM headrace.streams s
          WHERE s.tenant_id = asking.tenant AND s.user_id = asking."user") END AS streams
FROM asking;

-- name: streams_of
-- The streams of a connection, by its id or name. Read as people.
SELECT s.stream_id FROM headrace.connections c
JOIN headrace.streams s ON s.tenant_id = c.tenant_id AND s.connection_id = c.connection_id
WHERE c.connection_id = %(named)s OR c.name = %(named)s;

-- name: only_by_words
-- No plan but the one through the index of words: the others have no bound.
SELECT set_config('enable_seqscan', %(others)s, true), set_config('enable_indexscan', %(others)s, true);

-- name: lexemes
-- How each part of the query reads as English (stemmed, without stop words) and as it stands.
SELECT CASE WHEN phrase THEN phraseto_tsquery('english', text) ELSE plainto_tsquery('english', text)
       END::text AS english,
       CASE WHEN phrase THEN phraseto_tsquery('simple', text) ELSE plainto_tsquery('simple', text)
       END::text AS plain,
       tsvector_to_array(to_tsvector('english', text)) AS english_lexemes,
       tsvector_to_array(to_tsvector('simple', text)) AS plain_lexemes
FROM unnest(%(texts)s::text[], %(phrases)s::bool[]) WITH ORDINALITY AS part (text, phrase, at)
ORDER BY at;

-- name: frequencies
-- In which share of the rows each lexeme is, from the planner's statistics: as good as counting,
-- and free. `floor` is the least share that is still in them; null before the first ANALYZE.
WITH known AS (
  SELECT most_common_elems::text::text[] AS lexemes, most_common_elem_freqs AS shares
  FROM pg_stats
  WHERE schemaname = 'headrace' AND tablename = %(table)s AND attname = 'search'
)
SELECT (SELECT reltuples FROM pg_class
        WHERE oid = ('headrace.' || %(table)s)::regclass)::float8 AS rows,
       (SELECT shares[cardinality(lexemes) + 1] FROM known)::float8 AS floor,
       (SELECT coalesce(json_object_agg(lexeme, share), '{}')
        FROM known, unnest(lexemes, shares) AS one (lexeme, share)
        WHERE lexeme = ANY(%(lexemes)s::text[])) AS shares;

-- name: by_words
-- Found in the index. `loose` asks for a phrase's words in any order: the index knows no order, so
-- the limit below bounds the rows that are read, and the phrase is looked for in those.
SELECT stream_id, source_id, occurred_at, search FROM {table}
WHERE search @@ %(loose)s::tsquery
  AND tenant_id = %(tenant)s AND (%(user)s::text IS NULL OR user_id = %(user)s)
  AND (%(streams)s::bigint[] IS NULL OR stream_id = ANY(%(streams)s::bigint[]))
  AND (%(since)s::timestamptz IS NULL OR occurred_at >= %(since)s)
  AND (%(until)s::timestamptz IS NULL OR occurred_at < %(until)s) {only}
LIMIT 10000

-- name: newest
-- Words that are everywhere: looked for in the newest rows, which is soon done.
SELECT stream_id, source_id, occurred_at, search FROM {table}
WHERE tenant_id = %(tenant)s AND (%(user)s::text IS NULL OR user_id = %(user)s)
  AND (%(streams)s::bigint[] IS NULL OR stream_id = ANY(%(streams)s::bigint[]))
  AND occurred_at >= coalesce(%(since)s, '-infinity'::timestamptz)
  AND occurred_at < coalesce(%(until)s, 'infinity'::timestamptz) {only}
ORDER BY occurred_at DESC
LIMIT 10000

-- name: of_people
-- What somebody took part in, the newest of it: of one person there is never so much that the index
-- of words would be sooner through.
SELECT stream_id, source_id, occurred_at, search FROM (
  SELECT p.stream_id, p.source_id FROM headrace.participants p
  WHERE p.identity_id = ANY(%(identities)s::uuid[]) AND p.tenant_id = %(tenant)s
    AND (%(since)s::timestamptz IS NULL OR p.occurred_at >= %(since)s)
    AND (%(until)s::timestamptz IS NULL OR p.occurred_at < %(until)s)
  GROUP BY p.stream_id, p.source_id
  ORDER BY max(p.occurred_at) DESC NULLS LAST
  LIMIT 10000
) AS took_part
JOIN {table} USING (stream_id, source_id)
WHERE tenant_id = %(tenant)s AND (%(user)s::text IS NULL OR user_id = %(user)s)
  AND (%(streams)s::bigint[] IS NULL OR stream_id = ANY(%(streams)s::bigint[])) {only}

-- name: rank
-- BM25 in spirit: a word counts by its rarity and, with less and less effect, by how often and
-- where it stands (ts_rank does that for one word); long rows count less; newer ones a little more.
-- How rare a word is that the statistics do not know, is counted among the candidates.
WITH pool AS MATERIALIZED (
  SELECT * FROM ({found}) AS found
  WHERE search @@ %(query)s::tsquery
  ORDER BY occurred_at DESC NULLS LAST
  LIMIT 1000
), term AS MATERIALIZED (
  SELECT query, ln(1 + (%(rows)s - matches + 0.5) / (matches + 0.5)) AS weight
  FROM (
    SELECT query, least(matches, CASE WHEN known THEN matches ELSE
      (SELECT count(*) FROM pool WHERE pool.search @@ query) END) AS matches
    FROM unnest(%(terms)s::text[]::tsquery[], %(matches)s::float8[], %(known)s::bool[])
      AS given (query, matches, known)
  ) AS counted
), scored AS (
  SELECT stream_id, source_id, occurred_at,
    (SELECT sum(weight * ts_rank(ARRAY[0.4, 0.4, 0.7, 1.0]::float4[], pool.search, query)) FROM term)
    / (0.5 + 0.5 * length(search) / greatest(1, avg(length(search)) OVER ()))
    -- A tenth more for today, half of that after three weeks; exp() fails on numbers below -700.
    * (1 + CASE WHEN occurred_at IS NULL THEN 0 ELSE 0.1 * exp(greatest(-100, least(0,
        extract(epoch FROM occurred_at - now())) / 2592000)) END) AS score
  FROM pool
)
SELECT stream_id, source_id, occurred_at, coalesce(score, 0)::float8 AS score
FROM scored
ORDER BY score DESC NULLS LAST, occurred_at DESC NULLS LAST, stream_id, source_id
LIMIT %(limit)s

-- name: show_interactions
-- What is shown of the best ones, read as people: row-level security applies.
SELECT i.stream_id, i.source_id, s.name AS stream, c.connection_id, c.name AS connection,
  coalesce(i.subject, '') AS title, i.occurred_at,
  ts_headline('english', coalesce(k.body, left(i.body, 4000)), %(query)s::tsquery, %(options)s)
    AS snippet,
  k.start_at, k.end_at, k.body
FROM unnest(%(streams)s::bigint[], %(sources)s::text[], %(hashes)s::bytea[], %(positions)s::int[])
  AS wanted (stream_id, source_id, content_hash, position)
JOIN headrace.interactions i
  ON i.tenant_id = %(tenant)s AND i.stream_id = wanted.stream_id AND i.source_id = wanted.source_id
-- What is near, where it was found by that.
LEFT JOIN headrace.chunks k ON k.tenant_id = i.tenant_id AND k.stream_id = i.stream_id
  AND k.content_hash = wanted.content_hash AND k.position = wanted.position
JOIN headrace.streams s ON s.tenant_id = i.tenant_id AND s.stream_id = i.stream_id
JOIN headrace.connections c
  ON c.tenant_id = s.tenant_id AND c.connection_id = s.connection_id;

-- name: show_calendar_events
SELECT e.stream_id, e.source_id, s.name AS stream, c.connection_id, c.name AS connection,
  coalesce(e.title, '') AS title, e.occurred_at,
  ts_headline('english', left(concat_ws('. ', e.location, e.description), 4000),
    %(query)s::tsquery, %(options)s) AS snippet
FROM unnest(%(streams)s::bigint[], %(sources)s::text[]) AS wanted (stream_id, source_id)
JOIN headrace.calendar_events e
  ON e.tenant_id = %(tenant)s AND e.stream_id = wanted.stream_id AND e.source_id = wanted.source_id
JOIN headrace.streams s ON s.tenant_id = e.tenant_id AND s.stream_id = e.stream_id
JOIN headrace.connections c
  ON c.tenant_id = s.tenant_id AND c.connection_id = s.connection_id;

-- name: show_events
SELECT e.stream_id, e.source_id, s.name AS stream, c.connection_id, c.name AS connection,
  concat_ws(': ', e.type, e.name) AS title, e.occurred_at,
  left(e.properties::text, 20000) AS document
FROM unnest(%(streams)s::bigint[], %(sources)s::text[]) AS wanted (stream_id, source_id)
JOIN headrace.events e
  ON e.tenant_id = %(tenant)s AND e.stream_id = wanted.stream_id AND e.source_id = wanted.source_id
JOIN headrace.streams s ON s.tenant_id = e.tenant_id AND s.stream_id = e.stream_id
JOIN headrace.connections c
  ON c.tenant_id = s.tenant_id AND c.connection_id = s.connection_id;
