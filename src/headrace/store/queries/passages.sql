-- Search in documents, by words and by meaning. As in search.sql, candidates are found as the owner,
-- with tenant and user spelt out, as keys and scores only; what is shown is read as people.

-- name: models
-- What embedded the documents that are asked for, and which index outside of PostgreSQL has their
-- vectors, if one does: what is shown decides, not what is being made beside it. Of several
-- connections' keys for one index, the newest connection's.
SELECT DISTINCT ON (embedder, i.vector_db, i.url, i.collection, i.model)
  coalesce(c.config -> 'embedder', '{}') AS embedder, i.vector_db, i.url, i.collection, i.model,
  c.connection_id, i.trusted, CASE WHEN c.config -> 'vector_db' ->> 'url' = i.url
    THEN c.credential ELSE i.credential END AS credential
FROM headrace.connections c
JOIN headrace.streams s ON s.tenant_id = c.tenant_id AND s.connection_id = c.connection_id AND s.live
LEFT JOIN headrace.vector_indexes i ON i.tenant_id = s.tenant_id AND i.stream_id = s.stream_id
WHERE c.provider = 'documents' AND c.tenant_id = %(tenant)s
  AND (%(user)s::text IS NULL OR c.user_id = %(user)s)
  AND (%(streams)s::bigint[] IS NULL OR s.stream_id = ANY(%(streams)s::bigint[]))
ORDER BY embedder, i.vector_db, i.url, i.collection, i.model, c.created_at DESC;

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
WHERE k.model = {model} AND k.kind = 'documents' AND k.tenant_id = %(tenant)s
  AND (%(user)s::text IS NULL OR k.user_id = %(user)s)
  AND (%(streams)s::bigint[] IS NULL OR k.stream_id = ANY(%(streams)s::bigint[]))
  AND NOT k.search @@ %(unwanted)s::tsquery
  AND (%(phrases)s::text IS NULL OR k.search @@ %(phrases)s::tsquery)
ORDER BY k.embedding::halfvec({dimensions}) <#> {vector}::halfvec({dimensions})
LIMIT %(pool)s;

-- name: of_the_nearest
-- Of what an index outside of PostgreSQL has found, what is still there and the caller's, by how
-- near it is: which is said by the vector that is here.
SELECT k.stream_id, k.content_hash, k.position,
  -(k.embedding::halfvec({dimensions}) <#> {vector}::halfvec({dimensions})) AS score
FROM unnest(%(stream_ids)s::bigint[], %(hashes)s::bytea[], %(positions)s::int[])
  AS near (stream_id, content_hash, position)
JOIN headrace.chunks k USING (stream_id, content_hash, position)
WHERE k.model = {model} AND k.embedding IS NOT NULL AND k.tenant_id = %(tenant)s
  AND (%(user)s::text IS NULL OR k.user_id = %(user)s)
  AND (%(streams)s::bigint[] IS NULL OR k.stream_id = ANY(%(streams)s::bigint[]))
  AND NOT k.search @@ %(unwanted)s::tsquery
  AND (%(phrases)s::text IS NULL OR k.search @@ %(phrases)s::tsquery)
ORDER BY score DESC LIMIT %(pool)s;

-- name: show
-- Of each chunk the file it is in: the first of those with this content that is shown. Only of as
-- many as are wanted is it looked up where the words stand, for that reads the whole passage.
WITH shown AS MATERIALIZED (
  SELECT wanted.at, k.stream_id, d.source_id, s.name AS stream, c.connection_id,
    c.name AS connection, coalesce(t.title, d.source_id) AS title, d.occurred_at, t.media_type,
    k.page, k.headings, k.start_at, k.end_at, k.body
  FROM unnest(%(stream_ids)s::bigint[], %(hashes)s::bytea[], %(positions)s::int[])
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
