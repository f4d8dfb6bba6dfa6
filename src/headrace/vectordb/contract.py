"""What every index of vectors outside of PostgreSQL offers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import msgspec

if TYPE_CHECKING:
    import numpy as np

Key = tuple[int, bytes, int]
"""A chunk: stream_id, content_hash, position."""


class IndexAt(msgspec.Struct, frozen=True):
    """Where vectors of one model are: the kind of index, its address, and a name there."""

    vector_db: str
    url: str
    collection: str
    model: str


class Point(msgspec.Struct, frozen=True):
    """A chunk and its vector, of length 1."""

    key: Key
    chunk_hash: bytes
    vector: np.ndarray


class VectorIndex(Protocol):
    """Vectors of one model, of many tenants. One instance may be used by several threads at once.

    Its methods block: call them in a worker thread, never in an event loop. Each raises Retry when
    the index is away or in trouble, NeedsHuman when a person has to act.
    """

    def put(self, tenant: str, user: str, points: Sequence[Point]) -> None:
        """Write these, over what is there of them. Returns when a search finds them."""

    def nearest(
        self,
        vector: np.ndarray,
        *,
        tenant: str,
        user: str | None,
        streams: Sequence[int] | None,
        limit: int,
    ) -> list[Key]:
        """The chunks nearest to a vector, nearest first, among the tenant's, the user's (None: all
        of the tenant's) and the streams' (None: all). An index that is wanting in what has been put
        into it raises Retry instead of finding nothing."""

    def forget(self, tenant: str, keys: Sequence[Key]) -> None:
        """Delete these, whether they are there or not."""

    def count(self, tenant: str, stream: int) -> int:
        """How many of a stream's chunks are there."""
