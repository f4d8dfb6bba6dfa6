"""What every embedder offers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np


class Embedder(Protocol):
    """Turns texts into vectors. One instance may be used by several threads at once.

    Both methods block: call them in a worker thread, never in an event loop.
    """

    @property
    def model(self) -> str:
        """Names the vectors: provider, model, revision. Vectors of two names cannot be compared."""

    @property
    def dimensions(self) -> int:
        """Length of one vector. A remote embedder may have to ask for it once."""

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """float32 of shape (len(texts), dimensions), in the order of the texts, rows of length 1.

        Raises Retry, NeedsHuman, BadInput or Unavailable.
        """

    def embed_query(self, text: str) -> np.ndarray:
        """The vector to search with: float32 of shape (dimensions,), of length 1."""
