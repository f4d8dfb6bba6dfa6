"""Cutting along the text's own structure: paragraphs, lines, sentences, words; or Markdown's."""

from __future__ import annotations

import re
from collections.abc import Iterator

from semantic_text_splitter import MarkdownSplitter, TextSplitter

from headrace.chunking.packing import Span

# The splitter's time grows with the square of a run of blanks (40,000 line ends: minutes) and of a
# line without sentences (a million Chinese signs: minutes), so these are cut beforehand. What
# stands before them in the patterns keeps the search itself linear.
_LONG_BLANK = re.compile(r"(?<!\s)\s{100,}")
_LINE = 20_000
_LONG_LINE = re.compile(rf"^.{{{_LINE},}}", re.MULTILINE)


def recursive(text: str, size: int, overlap: int) -> Iterator[Span]:
    """The largest of paragraph, line, sentence, word that fits, neighbours merged up to `size`."""
    return _spans(TextSplitter(size, overlap=overlap), text)


def markdown(text: str, size: int, overlap: int) -> Iterator[Span]:
    """The same along headings, lists, tables and code blocks."""
    return _spans(MarkdownSplitter(size, overlap=overlap), text)


def _spans(splitter: TextSplitter | MarkdownSplitter, text: str) -> Iterator[Span]:
    last = 0
    for start, end in _parts(text):
        for offset, piece in splitter.chunk_indices(text[start:end]):
            # Trimmed anew: what counts as blank differs a little between the two languages, and of
            # what one of them took for a word, nothing new may be left.
            body = piece.strip()
            begin = start + offset + len(piece) - len(piece.lstrip())
            if body and begin + len(body) > last:
                last = begin + len(body)
                yield begin, last


def _parts(text: str) -> Iterator[Span]:
    """What lies between long blanks and the cuts of long lines: mostly all of the text."""
    cuts = [blank.span() for blank in _LONG_BLANK.finditer(text)]
    for line in _LONG_LINE.finditer(text):
        for at in range(line.start() + _LINE, line.end(), _LINE):
            between_words = text.rfind(" ", at - 100, at) + 1 or at
            cuts.append((between_words, between_words))
    start = 0
    for end, resume in [*sorted(cuts), (len(text), len(text))]:
        if end > start:
            yield start, end
        start = max(start, resume)
