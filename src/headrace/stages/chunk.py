"""Texts to chunks: each content's all at once.

A text that a new version of the stage cuts again has its old chunks until then, and gets the new
ones with their vectors: a search finds the ones or the others.
"""

from __future__ import annotations

from typing import Any

import psycopg

from headrace.chunking import Chunk
from headrace.chunking import chunk as cut
from headrace.files.config import DocumentsConfig
from headrace.rows import Chunks, Texts
from headrace.stage import Batch, Made, stage
from headrace.stages import vectors
from headrace.stages.embed import open_embedder

# The contents that the batch's paths have, and whose chunks are not there, or were cut by an older
# version; whoever read them.
_TEXTS = """
SELECT DISTINCT ON (c.content_hash) c.content_hash, c.body, c.pages, c.headings,
  EXISTS (SELECT FROM headrace.chunks old WHERE old.tenant_id = c.tenant_id
    AND old.stream_id = c.stream_id AND old.content_hash = c.content_hash) AS again
FROM headrace.raw_events r
JOIN headrace.texts c USING (tenant_id, stream_id, content_hash)
WHERE r.tenant_id = %(tenant)s AND r.batch_id = %(batch_id)s
  AND NOT EXISTS (SELECT FROM headrace.chunks k WHERE k.tenant_id = c.tenant_id
    AND k.stream_id = c.stream_id AND k.content_hash = c.content_hash
    AND k.cut_by >= %(version)s AND NOT %(anew)s)
ORDER BY c.content_hash
"""

_COPY = """
COPY headrace.chunks (tenant_id, stream_id, content_hash, position, user_id, batch_id, start_at,
  end_at, page, headings, body, chunk_hash, cut_by) FROM STDIN (FORMAT binary)
"""
_TYPES = ("text", "int8", "bytea", "int4", "text", "int8", "int4", "int4", "int4", "text[]", "text",
          "bytea", "int4")  # fmt: skip

# Two batches may hold the same content: the one that comes second finds it done.
_LOCK = """
SELECT content_hash FROM headrace.texts
WHERE tenant_id = %(tenant)s AND stream_id = %(stream_id)s AND content_hash = ANY(%(hashes)s)
ORDER BY content_hash FOR UPDATE
"""
_THERE = """
SELECT DISTINCT content_hash FROM headrace.chunks
WHERE tenant_id = %(tenant)s AND stream_id = %(stream_id)s AND content_hash = ANY(%(hashes)s)
  AND cut_by >= %(version)s AND NOT %(anew)s
"""
_OLD = """
DELETE FROM headrace.chunks
WHERE tenant_id = %(tenant)s AND stream_id = %(stream_id)s AND content_hash = ANY(%(hashes)s)
  AND (cut_by < %(version)s OR %(anew)s)
"""

_BY_MEANING = "semantic_chunking"


@stage(version=1)
def chunk(batch: Batch[Texts]) -> Made[Chunks]:
    """Cut every text that has not been cut."""
    texts = batch.read(_TEXTS, batch.keys())
    config = DocumentsConfig.model_validate_json(batch.stream.config)
    wanted, embed = config.chunker, None
    if wanted.chunk_strategy == _BY_MEANING and texts:
        embed = open_embedder(config.embedder, batch.settings).embed
    cuts: dict[bytes, tuple[str, list[Chunk]]] = {
        text["content_hash"]: (
            text["body"],
            cut(
                text["body"],
                strategy=wanted.chunk_strategy,
                size=wanted.chunk_size,
                overlap=wanted.chunk_overlap,
                pages=text["pages"],
                headings=text["headings"],
                embed=embed,
            ),
        )
        for text in texts
    }

    again = [text["content_hash"] for text in texts if text["again"]]
    found = [(body[one.start : one.end], one) for hash_ in again for body, of in [cuts[hash_]]
             for one in of]  # fmt: skip
    known = vectors.of(batch, config, {one.hash: body for body, one in found})

    def write(connection: psycopg.Connection[dict[str, Any]]) -> int:
        keys = {**batch.keys(), "hashes": list(cuts)}
        connection.execute(_LOCK, keys)
        there = {row["content_hash"] for row in connection.execute(_THERE, keys)}
        if known is not None:
            known.keep(connection, again)
        connection.execute(_OLD, keys)
        written = 0
        with connection.cursor().copy(_COPY) as copy:
            copy.set_types(_TYPES)
            for hash_, (body, chunks) in cuts.items():
                if hash_ not in there:
                    for at, one in enumerate(chunks):
                        copy.write_row(_row(batch, hash_, at, body, one))
                    written += len(chunks)
        if known is not None:
            known.give(connection, again)
        return written

    return Made(len(texts), write)


def _row(batch: Batch[Any], hash_: bytes, at: int, body: str, one: Chunk) -> tuple[Any, ...]:
    return (
        batch.tenant,
        batch.stream_id,
        hash_,
        at,
        batch.user,
        batch.batch_id,
        one.start,
        one.end,
        one.page,
        one.headings,
        body[one.start : one.end],
        one.hash,
        batch.version,
    )
