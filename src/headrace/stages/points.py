"""What the embed stage does where vectors are put into an index outside of PostgreSQL as well.

They are put there before the transaction that has them shown. A crash in between leaves points that
no shown chunk has, which are not found; the stage runs again, and puts them again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from headrace.crashpoints import mark
from headrace.errors import Retry
from headrace.files.sections import VectorsConfig
from headrace.stage import Batch
from headrace.vectordb import Point, index_at, open_index

if TYPE_CHECKING:
    import numpy as np

POINTS = 0x4852504F
"""A stream's lock: shared by whoever puts points, alone with whoever deletes those of chunks that
are gone. So none is put after its deletion."""

# In a transaction of its own, before the first point: a chunk that is deleted from now on has its
# point deleted too.
_SAY = """
INSERT INTO headrace.vector_indexes (tenant_id, user_id, stream_id, vector_db, url, collection,
  model, connection_id, trusted, credential)
SELECT s.tenant_id, s.user_id, s.stream_id, %(vector_db)s, %(url)s, %(collection)s, %(model)s,
  c.connection_id, c.trusted, c.credential
FROM headrace.streams s JOIN headrace.connections c USING (tenant_id, connection_id)
WHERE s.tenant_id = %(tenant)s AND s.stream_id = %(stream_id)s
ON CONFLICT (stream_id, vector_db, url, collection, model, tenant_id) DO UPDATE
SET trusted = excluded.trusted, credential = excluded.credential
"""

# The chunks that the stage is about to give a vector; that of the same words, where it is known.
_CHUNKS = """
SELECT k.content_hash, k.position, k.chunk_hash, halfvec_send(known.embedding) AS vector
FROM headrace.chunks k
LEFT JOIN LATERAL (
  SELECT o.embedding FROM headrace.chunks o WHERE o.tenant_id = k.tenant_id
    AND o.chunk_hash = k.chunk_hash AND o.model = %(model)s AND o.embedding IS NOT NULL
    AND o.embedded_by >= %(version)s LIMIT 1
) known ON true
WHERE k.tenant_id = %(tenant)s AND k.stream_id = %(stream_id)s
  AND (k.model IS DISTINCT FROM %(model)s OR k.embedded_by < %(version)s)
  AND k.content_hash IN (
    SELECT content_hash FROM headrace.raw_events
    WHERE tenant_id = %(tenant)s AND batch_id = %(batch_id)s)
ORDER BY k.content_hash, k.position
"""


def put(
    batch: Batch[Any], config: VectorsConfig, model: str, new: Mapping[bytes, np.ndarray]
) -> int | None:
    """Put the vectors of the batch's chunks where `config` says, and how many that were; None for
    PostgreSQL alone. `new` are those just made, by chunk_hash. Raises Retry and NeedsHuman."""
    at = index_at(config, model)
    if at is None:
        return None
    private_hosts = batch.trusted or batch.settings.headrace_private_hosts
    index = open_index(at, batch.secret(), private_hosts=private_hosts)
    connection = batch.hold(POINTS)
    values = {**batch.keys(), **msgspec.structs.asdict(at)}
    connection.execute(_SAY, values)
    points = [_point(batch, row, new) for row in connection.execute(_CHUNKS, values).fetchall()]
    index.put(batch.tenant, batch.user, points)
    mark("points-put")
    return len(points)


def check(written: int, put: int | None) -> None:
    """Raises Retry when more chunks have been given a vector than have a point."""
    if put is not None and written > put:
        raise _changed()


def _point(batch: Batch[Any], row: dict[str, Any], new: Mapping[bytes, np.ndarray]) -> Point:
    vector = new.get(row["chunk_hash"])
    if vector is None:
        if row["vector"] is None:
            raise _changed()
        vector = floats(row["vector"])
    key = (batch.stream_id, row["content_hash"], row["position"])
    return Point(key, row["chunk_hash"], vector)


def _changed() -> Retry:
    return Retry("Chunks came and went while their vectors were put; it is done anew.", after=1)


def floats(sent: bytes) -> np.ndarray:
    """A vector from PostgreSQL's binary halfvec: see `embed.binary`."""
    import numpy as np

    return np.frombuffer(sent, ">f2", offset=4).astype(np.float32)
