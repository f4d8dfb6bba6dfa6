"""Whole pieces, one after another, put together into chunks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

Span = tuple[int, int]
"""Start and end of a part of a text, in characters; the end is exclusive."""


def pack(
    pieces: Sequence[Span],
    size: int,
    overlap: int = 0,
    cut: Callable[[int, int], int] | None = None,
) -> Iterator[Span]:
    """Chunks of whole pieces, at most `size` characters from the first start to the last end.

    No piece may be longer than `size`. A chunk begins with as many of the last pieces of the one
    before as fit into `overlap` characters. `cut` is asked for the index of the last piece of a
    chunk, given the first and the furthest that fits, unless the rest fits whole; only without an
    overlap, where any answer between the two moves on.
    """
    first = furthest = 0
    while first < len(pieces):
        start = pieces[first][0]
        while furthest + 1 < len(pieces) and pieces[furthest + 1][1] - start <= size:
            furthest += 1
        last = furthest
        if cut is not None and furthest + 1 < len(pieces):
            last = cut(first, furthest)
        yield start, pieces[last][1]
        first_new = last + 1
        if first_new == len(pieces):
            return
        # The shared pieces leave room for the next one: every chunk brings something new.
        following = pieces[first_new][1]
        first = first_new
        while (
            pieces[last][1] - pieces[first - 1][0] <= overlap
            and following - pieces[first - 1][0] <= size
        ):
            first -= 1
        furthest = max(furthest, first)
