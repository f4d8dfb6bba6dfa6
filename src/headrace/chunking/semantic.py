"""Cutting where the subject changes: where neighbouring sentences differ most in meaning."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeAlias

from headrace.chunking.packing import Span, pack
from headrace.chunking.sentences import pieces

if TYPE_CHECKING:
    import numpy as np

Embed: TypeAlias = "Callable[[Sequence[str]], np.ndarray]"
"""Texts to their vectors: float32 of shape (n, dimensions), rows of length 1."""


def cut(text: str, size: int, embed: Embed) -> Iterator[Span]:
    """Chunks of whole sentences, each cut at the greatest change in its second half.

    Only there, so that a change of subject does not leave crumbs behind.
    """
    spans = pieces(text, size)
    if not spans:
        return iter(())
    import numpy as np

    vectors = embed([text[start:end] for start, end in spans])
    likeness = np.einsum("ij,ij->i", vectors[:-1], vectors[1:])  # [i]: of piece i and the next

    def best(first: int, furthest: int) -> int:
        half = spans[first][0] + size // 2
        choices = [i for i in range(first, furthest + 1) if spans[i][1] >= half]
        return min(choices, key=likeness.__getitem__, default=furthest)

    return pack(spans, size, cut=best)
