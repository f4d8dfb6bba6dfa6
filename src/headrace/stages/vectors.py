"""The vectors of texts that are cut again: those there are, and those that are missing, so that the
new chunks have theirs from the first moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
import psycopg

from headrace.files.config import DocumentsConfig
from headrace.stage import Batch
from headrace.stages.embed import binary, embed, open_embedder
from headrace.vectordb import index_at

if TYPE_CHECKING:
    import numpy as np

# By any version of the embed stage: it makes anew what is too old for it.
_KNOWN = """
SELECT DISTINCT chunk_hash FROM headrace.chunks
WHERE tenant_id = %(tenant)s AND chunk_hash = ANY(%(wanted)s) AND model = %(model)s
  AND embedding IS NOT NULL
"""
_STAGING = """
CREATE TEMP TABLE kept (chunk_hash bytea, embedding halfvec, embedded_by integer) ON COMMIT DROP
"""
_KEEP = """
INSERT INTO kept SELECT DISTINCT ON (chunk_hash) chunk_hash, embedding, embedded_by
FROM headrace.chunks
WHERE tenant_id = %(tenant)s AND chunk_hash = ANY(%(wanted)s) AND model = %(model)s
  AND embedding IS NOT NULL
ORDER BY chunk_hash, embedded_by DESC
"""
_COPY = "COPY kept (chunk_hash, embedding, embedded_by) FROM STDIN (FORMAT binary)"
_GIVE = """
UPDATE headrace.chunks k
SET embedding = kept.embedding, model = %(model)s, embedded_by = kept.embedded_by
FROM kept
WHERE k.tenant_id = %(tenant)s AND k.stream_id = %(stream_id)s AND k.content_hash = ANY(%(again)s)
  AND k.chunk_hash = kept.chunk_hash AND k.embedding IS NULL
"""


class Vectors(msgspec.Struct):
    """Vectors for chunks that are about to be written."""

    keys: dict[str, Any]
    new: dict[bytes, np.ndarray]

    def keep(self, connection: psycopg.Connection[dict[str, Any]], again: Sequence[bytes]) -> None:
        """Keep those of the chunks that are there, before the old ones are deleted."""
        connection.execute(_STAGING)
        connection.execute(_KEEP, {**self.keys, "again": list(again)})
        with connection.cursor().copy(_COPY) as copy:
            copy.set_types(("bytea", "bytea", "int4"))
            for hash_, vector in self.new.items():
                copy.write_row((hash_, binary(vector), embed.version))

    def give(self, connection: psycopg.Connection[dict[str, Any]], again: Sequence[bytes]) -> None:
        """Give every new chunk of these contents its vector."""
        connection.execute(_GIVE, {**self.keys, "again": list(again)})


def of(batch: Batch[Any], config: DocumentsConfig, texts: Mapping[bytes, str]) -> Vectors | None:
    """The vectors of these texts, by hash; None where there are no texts, or where an index outside
    of PostgreSQL has to be told first: the embed stage does that. Raises what an embedder does."""
    if not texts:
        return None
    model = open_embedder(config.embedder, batch.settings)
    if index_at(config.vector_db, model.model) is not None:
        return None
    keys = {**batch.keys(), "model": model.model, "wanted": list(texts)}
    known = {row["chunk_hash"] for row in batch.read(_KNOWN, keys)}
    missing = {hash_: text for hash_, text in texts.items() if hash_ not in known}
    new: dict[bytes, np.ndarray] = {}
    if missing:
        new = dict(zip(missing, model.embed(list(missing.values())), strict=True))
    return Vectors(keys, new)
