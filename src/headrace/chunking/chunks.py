"""The chunks of a text: cut by a strategy with a name, then placed under pages and headings."""

from __future__ import annotations

import difflib
import hashlib
import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence

import msgspec

from headrace.chunking import semantic, sentences, structure
from headrace.chunking.packing import Span
from headrace.chunking.semantic import Embed
from headrace.errors import BadInput

MAX_SIZE = 100_000
"""Characters of the longest chunk that may be asked for."""

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


class Chunk(msgspec.Struct):
    """`text[start:end]` of the text it was cut from; it begins and ends with what is not blank.

    `page` counts from 1 and is the page of the chunk's start, None where no pages are known.
    `headings` are the titles in force at its start, outermost first; a heading that the chunk
    begins with is one of them. `hash` is `content_hash` of the chunk.
    """

    start: int
    end: int
    page: int | None
    headings: list[str]
    hash: bytes


_BY_NAME: dict[str, Callable[[str, int, int], Iterable[Span]]] = {
    "recursive_chunking": structure.recursive,
    "mdstructure": structure.markdown,
    "sentence_chunking": sentences.packed,
}
_SEMANTIC = "semantic_chunking"


def strategies() -> tuple[str, ...]:
    """The names that `chunk` knows."""
    return (*_BY_NAME, _SEMANTIC)


def chunk(
    text: str,
    *,
    strategy: str = "recursive_chunking",
    size: int = 800,
    overlap: int = 100,
    pages: Sequence[int] = (),
    headings: Sequence[tuple[int, int, str]] = (),
    embed: Embed | None = None,
) -> list[Chunk]:
    """Cut a text into chunks of at most `size` characters, in the order of their starts.

    Neighbours share at most `overlap` characters; those of semantic_chunking share none, since they
    are cut where the subject changes. `pages` are the offsets at which pages begin, `headings` are
    (offset, level, title), level 1 outermost. `embed` is what semantic_chunking compares sentences
    with: texts to float32 of shape (n, dimensions), rows of length 1.

    Every character that is not blank is in some chunk. Raises BadInput for an unknown strategy, a
    size or overlap out of range, and semantic_chunking without `embed`.
    """
    _check(strategy, size, overlap)
    # One sign for one sign: what follows speaks UTF-8, and the offsets stay those of the text.
    plain = text if text.isascii() else _LONE_SURROGATE.sub("\ufffd", text)
    if strategy != _SEMANTIC:
        spans = _BY_NAME[strategy](plain, size, overlap)
    elif embed is None:
        raise BadInput(
            f"{_SEMANTIC} needs an embedder to compare sentences with.",
            hint="Configure one, or choose sentence_chunking.",
        )
    else:
        spans = semantic.cut(plain, size, embed)
    return _placed(plain, spans, sorted(pages), sorted(headings))


def content_hash(text: str) -> bytes:
    """SHA-256 of the trimmed, lower-cased text in UTF-8: 32 bytes that stand for what it says."""
    return hashlib.sha256(text.strip().lower().encode("utf-8", "replace")).digest()


def _placed(
    text: str, spans: Iterable[Span], pages: list[int], headings: list[tuple[int, int, str]]
) -> list[Chunk]:
    chunks: list[Chunk] = []
    above: list[tuple[int, str]] = []  # (level, title), outermost first
    at = 0
    for start, end in spans:
        while at < len(headings) and headings[at][0] <= start:
            _, level, title = headings[at]
            while above and above[-1][0] >= level:
                above.pop()
            above.append((level, title))
            at += 1
        chunks.append(
            Chunk(
                start=start,
                end=end,
                page=max(1, bisect_right(pages, start)) if pages else None,
                headings=[title for _, title in above],
                hash=content_hash(text[start:end]),
            )
        )
    return chunks


def _check(strategy: str, size: int, overlap: int) -> None:
    known = strategies()
    if strategy not in known:
        near = difflib.get_close_matches(strategy, known, n=1)
        raise BadInput(
            f"There is no chunking strategy {strategy!r}.",
            hint=f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(known)}.",
        )
    if not 1 <= size <= MAX_SIZE:
        raise BadInput(
            f"A chunk size of {size} characters is out of range.",
            hint=f"Choose 1 to {MAX_SIZE:,}; 800 suits most texts.",
        )
    if not 0 <= overlap < size:
        raise BadInput(
            f"An overlap of {overlap} characters does not fit chunks of {size}.",
            hint="Choose 0 or more, and less than the size; an eighth of it is usual.",
        )
