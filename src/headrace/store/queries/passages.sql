-- Search in documents, by words and by meaning. As in search.sql, candidates are found as the owner,
-- with tenant and user spelt out, as keys and scores only; what is shown is read as people.

-- name: models
-- What embedded the documents that the caller may see. Read as people.
SELECT DISTINCT coalesce(config -> 'embedder', '{}') AS embedder FROM headrace.connections
WHERE provider = 'documents';

-- name: by_words
-- BM25 in spirit (see `rank` in search.sql), over whatever has one of the telling words.
WITH term AS MATERIALIZED (
  SELECT query, weight FROM unnest(%(terms)s::text[]::tsquery[], %(weights)s::float8[])
    AS given (query, weight)
), pool AS MATERIALIZED (
  SELECT k.stream_id, k.content_hash, k.position, k.search FROM headrace.chunks k
  WHERE k.search @@ %(some)s::tsquery AND NOT k.search @@ %(unwanted)s::tsquery
    AND (%(phrases)s::text IS NULL OR k.search @@ %(phrases)s::tsquery)
    AND k.tenant_id = %(tenant)s AND (%(user)s::text IS NULL OR k.user_id = %(user)s)
    AND (%(streams)s::bigint[] IS NULL OR k.stream_id = ANY(%(streams)s::bigint[]))
  LIMIT 10000
)
SELECT stream_id, content_hash, position, search @@ %(every)s::tsquery AS whole,
  (SELECT sum(weight * ts_rank(ARRAY[1.0, 1.0, 1.0, 1.0]::float4[], pool.search, query)) FROM term)
    / (0.6 + 0.4 * length(search) / greatest(1, avg(length(search)) OVER ())) AS score
FROM pool ORDER BY score DESC LIMIT %(pool)s;

-- name: by_meaning
-- Along the model's own index, as far as it takes to find enough that the caller may see.
SELECT k.stream_id, k.content_hash, k.position,
  -(k.embedding::halfvec({dimensions}) <#> {vector}::halfvec({dimensions})) AS score
FROM headrace.chunks k
WHERE k.model = {model} AND k.tenant_id = %(tenant)s
  AND (%(user)s::text IS NULL OR k.user_id = %(user)s)
  AND (%(streams)s::bigint[] IS NULL OR k.stream_id = ANY(%(streams)s::bigint[]))
  AND NOT k.search @@ %(unwanted)s::tsquery
  AND (%(phrases)s::text IS NULL OR k.search @@ %(phrases)s::tsquery)
ORDER BY k.embedding::halfvec({dimensions}) <#> {vector}::halfvec({dimensions})
LIMIT %(pool)s;

-- name: show
-- Of each chunk the file it is in: the first of those with this content that is shown. Only of as
-- many as are wanted is it looked up where the words stand, for that reads the whole passage.
WITH shown AS MATERIALIZED (
  SELECT wanted.at, k.stream_id, d.source_id, s.name AS stream, c.connection_id,
    c.name AS connection, coalesce(t.title, d.source_id) AS title, d.occurred_at, t.media_type,
    k.page, k.headings, k.start_at, k.end_at, k.body
  FROM unnest(%(streams)s::bigint[], %(hashes)s::bytea[], %(positions)s::int[])
    WITH ORDINALITY AS wanted (stream_id, content_hash, position, at)
  JOIN headrace.chunks k ON k.tenant_id = %(tenant)s AND k.stream_id = wanted.stream_id
    AND k.content_hash = wanted.content_hash AND k.position = wanted.position
  JOIN headrace.texts t ON t.tenant_id = k.tenant_id AND t.stream_id = k.stream_id
    AND t.content_hash = k.content_hash
  JOIN headrace.streams s ON s.tenant_id = k.tenant_id AND s.stream_id = k.stream_id AND s.live
  JOIN headrace.connections c ON c.tenant_id = s.tenant_id AND c.connection_id = s.connection_id
  JOIN LATERAL (
    SELECT d.source_id, d.occurred_at FROM headrace.documents d
    WHERE d.tenant_id = k.tenant_id AND d.stream_id = k.stream_id
      AND d.indexed_hash = k.content_hash
    ORDER BY d.source_id LIMIT 1
  ) d ON true
  WHERE (%(since)s::timestamptz IS NULL OR d.occurred_at >= %(since)s)
    AND (%(until)s::timestamptz IS NULL OR d.occurred_at < %(until)s)
    AND (%(type)s::text IS NULL OR t.media_type LIKE %(type)s || '%%'
         OR lower(d.source_id) LIKE '%%.' || lower(%(type)s))
  ORDER BY wanted.at LIMIT %(limit)s
)
SELECT *, ts_headline('english', body, %(query)s::tsquery, %(options)s) AS snippet
FROM shown ORDER BY at;
