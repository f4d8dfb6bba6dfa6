"""Sentences, found by their punctuation, and chunks made of whole ones."""

from __future__ import annotations

import re
from collections.abc import Iterator

from headrace.chunking.packing import Span, pack
from headrace.chunking.structure import recursive

# A sentence ends at an empty line, after a full-width mark, or after a mark (with closing quotes
# and brackets) that a blank follows, unless the next word is lower-case: "e.g. this", "approx. 5".
_END = re.compile(
    r"\n\s*\n"
    r"|[\u3002\uff01\uff1f][\u201d\u2019\u300d\u300f\uff09]*"
    r"|(?<![.!?\u2026])[.!?\u2026]++[\"'\u201d\u2019)\]]*+(?=\s++[^\sa-z])"
)
# The word before a full stop that does not end a sentence: a title or an initial.
_ABBREVIATION = re.compile(r"\b(?:[A-Z]|Mr|Mrs|Ms|Dr|Prof|St|No|Fig|vs|cf|e\.g|i\.e)\Z")
_LONGEST_ABBREVIATION = 5


def packed(text: str, size: int, overlap: int) -> Iterator[Span]:
    """Chunks of whole sentences; only a sentence longer than `size` is cut."""
    return pack(pieces(text, size), size, overlap)


def pieces(text: str, size: int) -> list[Span]:
    """The sentences of a text without the blanks around them, those over `size` cut in parts."""
    found: list[Span] = []
    for start, end in sentences(text):
        if end - start <= size:
            found.append((start, end))
        else:
            parts = recursive(text[start:end], size, 0)
            found += ((start + begin, start + stop) for begin, stop in parts)
    return found


def sentences(text: str) -> Iterator[Span]:
    """Where the sentences are, without the blanks around them."""
    start = 0
    for end in _END.finditer(text):
        before = text[max(0, end.start() - _LONGEST_ABBREVIATION) : end.start()]
        if end[0] == "." and _ABBREVIATION.search(before):
            continue
        yield from _trimmed(text, start, end.end())
        start = end.end()
    yield from _trimmed(text, start, len(text))


def _trimmed(text: str, start: int, end: int) -> Iterator[Span]:
    part = text[start:end]
    body = part.strip()
    if body:
        start += len(part) - len(part.lstrip())
        yield start, start + len(body)
