"""Chunks to vectors; then, and not before, a search finds them: a file's chunks appear all at once.

What the same tenant has had embedded by the same model is not embedded again: an edit costs the
chunks it changed, a renamed file nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg

from headrace.embedding import Embedder, embedder
from headrace.files.config import DocumentsConfig, EmbedderConfig
from headrace.rows import Chunks, Vectors
from headrace.settings import Settings
from headrace.stage import Batch, Made, stage
from headrace.stages import points
from headrace.stages.parse import PATHS

if TYPE_CHECKING:
    import numpy as np

# Distinct texts of the batch's chunks that no chunk of the tenant has a vector for.
_TEXTS = """
SELECT DISTINCT ON (k.chunk_hash) k.chunk_hash, k.body
FROM headrace.raw_events r
JOIN headrace.chunks k USING (tenant_id, stream_id, content_hash)
WHERE r.tenant_id = %(tenant)s AND r.batch_id = %(batch_id)s
  AND (k.model IS DISTINCT FROM %(model)s OR k.embedded_by < %(version)s)
  AND NOT EXISTS (SELECT FROM headrace.chunks known WHERE known.tenant_id = k.tenant_id
    AND known.chunk_hash = k.chunk_hash AND known.model = %(model)s
    AND known.embedding IS NOT NULL AND known.embedded_by >= %(version)s)
ORDER BY k.chunk_hash
"""

_STAGING = "CREATE TEMP TABLE vectors (chunk_hash bytea, embedding halfvec) ON COMMIT DROP"
_COPY = "COPY vectors (chunk_hash, embedding) FROM STDIN (FORMAT binary)"

_WRITE = """
WITH given AS (
  SELECT k.content_hash, k.position, coalesce(v.embedding, known.embedding) AS embedding
  FROM headrace.chunks k
  LEFT JOIN vectors v USING (chunk_hash)
  LEFT JOIN LATERAL (
    SELECT o.embedding FROM headrace.chunks o WHERE o.tenant_id = k.tenant_id
      AND o.chunk_hash = k.chunk_hash AND o.model = %(model)s AND o.embedding IS NOT NULL
      AND o.embedded_by >= %(version)s LIMIT 1
  ) known ON v.embedding IS NULL
  WHERE k.tenant_id = %(tenant)s AND k.stream_id = %(stream_id)s
    AND (k.model IS DISTINCT FROM %(model)s OR k.embedded_by < %(version)s)
    AND k.content_hash IN (
      SELECT content_hash FROM headrace.raw_events
      WHERE tenant_id = %(tenant)s AND batch_id = %(batch_id)s)
)
UPDATE headrace.chunks k SET embedding = given.embedding, model = %(model)s,
  embedded_by = %(version)s
FROM given
WHERE k.tenant_id = %(tenant)s AND k.stream_id = %(stream_id)s
  AND k.content_hash = given.content_hash AND k.position = given.position
  AND given.embedding IS NOT NULL
"""

_SHOW = """
UPDATE headrace.documents d SET indexed_hash = d.content_hash
WHERE d.tenant_id = %(tenant)s AND d.stream_id = %(stream_id)s
  AND d.indexed_hash IS DISTINCT FROM d.content_hash AND d.content_hash IN (
    SELECT content_hash FROM headrace.raw_events
    WHERE tenant_id = %(tenant)s AND batch_id = %(batch_id)s)
  AND NOT EXISTS (SELECT FROM headrace.chunks k WHERE k.tenant_id = d.tenant_id
    AND k.stream_id = d.stream_id AND k.content_hash = d.content_hash AND k.embedding IS NULL)
"""

# Contents that lie under no path any more. Whoever writes paths holds the stream's lock, shared.
_SWEPT = "SELECT pg_advisory_xact_lock(%(lock)s, %(stream_id)s::int)"
_SWEEP = """
WITH gone AS (
  DELETE FROM headrace.texts c
  WHERE c.tenant_id = %(tenant)s AND c.stream_id = %(stream_id)s AND NOT EXISTS (
    SELECT FROM headrace.documents d WHERE d.stream_id = c.stream_id
      AND d.tenant_id = c.tenant_id AND d.content_hash = c.content_hash)
    AND NOT EXISTS (SELECT FROM headrace.documents d WHERE d.stream_id = c.stream_id
      AND d.tenant_id = c.tenant_id AND d.indexed_hash = c.content_hash)
  RETURNING content_hash
)
DELETE FROM headrace.chunks k USING gone
WHERE k.tenant_id = %(tenant)s AND k.stream_id = %(stream_id)s
  AND k.content_hash = gone.content_hash
"""
_CHANGED = """
SELECT EXISTS (SELECT FROM headrace.raw_events
  WHERE tenant_id = %(tenant)s AND batch_id = %(batch_id)s AND version > 1) AS changed
"""


@stage(version=1)
def embed(batch: Batch[Chunks]) -> Made[Vectors]:
    """Give every chunk of the batch its vector, and show the files that have all of theirs."""
    config = DocumentsConfig.model_validate_json(batch.stream.config)
    model = open_embedder(config.embedder, batch.settings)
    keys = {**batch.keys(), "model": model.model, "lock": PATHS}
    texts = batch.read(_TEXTS, keys)
    vectors = model.embed([one["body"] for one in texts]) if texts else None
    new = {}
    if vectors is not None:
        new = dict(zip([one["chunk_hash"] for one in texts], vectors, strict=True))
    put = points.put(batch, config.vector_db, model.model, new)

    def write(connection: psycopg.Connection[dict[str, Any]]) -> int:
        connection.execute(_STAGING)
        if new:
            with connection.cursor().copy(_COPY) as copy:
                copy.set_types(("bytea", "bytea"))
                for chunk_hash, vector in new.items():
                    copy.write_row((chunk_hash, binary(vector)))
        points.check(connection.execute(_WRITE, keys).rowcount, put)
        connection.execute(_SHOW, keys)
        if (connection.execute(_CHANGED, keys).fetchone() or {})["changed"]:
            connection.execute(_SWEPT, keys)
            connection.execute(_SWEEP, keys)
        return len(texts)

    return Made(len(texts), write)


def open_embedder(config: EmbedderConfig, settings: Settings) -> Embedder:
    """The embedder that a job's configuration names. The operator's key goes to the operator's
    endpoint only, never to one that a caller has named. Raises BadInput and NeedsHuman."""
    ours = config.base_url in (None, settings.headrace_embedding_url)
    key = settings.headrace_embedding_key if ours else None
    return embedder(
        config.provider,
        model=config.model,
        base_url=config.base_url or settings.headrace_embedding_url,
        key=key.get_secret_value() if key else None,
        dimensions=config.dimensions,
        private_hosts=ours or settings.headrace_private_hosts,
        home=settings.headrace_home,
    )


def binary(vector: np.ndarray) -> bytes:
    """A vector as PostgreSQL's binary halfvec: its length, two empty bytes, halves, high byte
    first."""
    return len(vector).to_bytes(2, "big") + b"\0\0" + vector.astype(">f2").tobytes()
