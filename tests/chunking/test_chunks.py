"""Chunks: nothing lost, offsets exact, sizes kept, whatever the text is made of."""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from headrace.chunking import MAX_SIZE, Chunk, chunk, strategies
from headrace.errors import BadInput

_WORDS = ["a", "Zebra", "é", "e\u0301", "😀", "漢字。", ".", "! ", "?\n", "e.g. ", "Dr. ", "x" * 90]
_BLANKS = [" ", "\n", "\n\n", "\t", "\r\n", "\x1c", "\u2028", "\u00a0", " " * 150, "\n" * 130]
_MARKUP = ["# Title\n", "- item\n", "> ", "```\n", "|a|b|\n|-|-|\n", "<b>", "[x](y)"]
_BITS = [*_WORDS, *_BLANKS, *_MARKUP, "\ud800", "\0", "word " * 20]
_TEXTS = st.lists(st.sampled_from(_BITS) | st.text(max_size=20), max_size=40).map("".join)


def toy_embed(texts: Sequence[str]) -> np.ndarray:
    """A vector for each text from its letters: enough to have differences."""
    counts = np.array([[1 + text.count(c) for c in "aeZ. 漢"] for text in texts], np.float32)
    unit: np.ndarray = counts / np.linalg.norm(counts, axis=1, keepdims=True)
    return unit


@pytest.mark.parametrize("strategy", strategies())
@settings(max_examples=150, deadline=None)
@example(text="a00:\x1f", size=4, share=0.5)
@given(text=_TEXTS, size=st.integers(1, 120), share=st.floats(0, 0.99))
def test_nothing_is_lost(strategy: str, text: str, size: int, share: float) -> None:
    """Every character that is not blank is in a chunk, none is too long, and twice is the same."""
    overlap = int(size * share)

    def cut() -> list[Chunk]:
        return chunk(text, strategy=strategy, size=size, overlap=overlap, embed=toy_embed)

    chunks = cut()
    assert chunks == cut()
    covered = bytearray(len(text))
    last = (-1, -1)
    for one in chunks:
        piece = text[one.start : one.end]
        assert 0 < len(piece) <= size
        assert piece == piece.strip()
        assert one.start > last[0]
        assert one.end > last[1]
        assert one.start >= last[1] - overlap
        last = (one.start, one.end)
        covered[one.start : one.end] = b"\1" * len(piece)
    assert not [c for c, seen in zip(text, covered, strict=True) if not seen and not c.isspace()]


def test_the_hash_is_of_what_the_chunk_says() -> None:
    """SHA-256 of the trimmed, lower-cased chunk: the same words have the same hash anywhere."""
    (one,) = chunk("  Ärger MIT Zügen.\n")
    assert one.hash == hashlib.sha256("ärger mit zügen.".encode()).digest()
    assert (one.start, one.end) == (2, 18)
    assert chunk("ärger mit zügen.")[0].hash == one.hash


def test_pages_and_headings_are_those_of_the_start() -> None:
    """A chunk that crosses pages belongs to the first; a sibling heading ends the one before."""
    text = "".join(f"word{n:03} " for n in range(100))  # 8 characters each
    headings = [
        (0, 1, "One"),
        (80, 2, "One A"),
        (160, 2, "One B"),
        (240, 1, "Two"),
        (400, 3, "Deep"),
    ]
    chunks = chunk(text, size=47, overlap=0, pages=[0, 200, 600], headings=headings)
    found = {one.start: one for one in chunks}
    assert [found[at].page for at in (0, 192, 240, 576, 624)] == [1, 1, 2, 2, 3]
    assert found[48].headings == ["One"]
    assert found[96].headings == ["One", "One A"]
    assert found[192].headings == ["One", "One B"]
    assert found[240].headings == ["Two"]
    assert found[432].headings == ["Two", "Deep"]
    assert chunk(text)[0].page is None


def test_markdown_is_cut_at_its_headings() -> None:
    """A section that fits is one chunk, and a table is not torn from its head."""
    sections = [f"# Part {n}\n\n" + f"Sentence {n} of it. " * 8 for n in range(4)]
    chunks = chunk("\n\n".join(sections), strategy="mdstructure", size=220, overlap=0)
    assert len(chunks) == 4
    text = "\n\n".join(sections)
    assert [text[c.start : c.start + 8] for c in chunks] == [f"# Part {n}" for n in range(4)]


def test_sentences_stay_whole_and_are_shared_whole() -> None:
    """Chunks end with sentences; the overlap is the last whole sentences that fit into it."""
    text = "Dr. Who came at 5 p.m. to us. It rained, e.g. cats. Then J. Doe left! Did she? Yes."
    chunks = chunk(text, strategy="sentence_chunking", size=46, overlap=25)
    assert [text[c.start : c.end] for c in chunks] == [
        "Dr. Who came at 5 p.m. to us.",
        "It rained, e.g. cats. Then J. Doe left!",
        "Then J. Doe left! Did she? Yes.",
    ]


def test_semantic_chunks_end_where_the_subject_changes() -> None:
    """Within the size the cut is between the two neighbours that are least alike."""
    cats, rates = "Cats purr and sleep all day. ", "Rates rose by two per cent. "

    def embed(texts: Sequence[str]) -> np.ndarray:
        return np.array([[1, 0] if "Cats" in text else [0, 1] for text in texts], np.float32)

    text = cats * 7 + rates * 7
    chunks = chunk(text, strategy="semantic_chunking", size=300, overlap=50, embed=embed)
    assert text[chunks[0].start : chunks[0].end] == (cats * 7).strip()
    assert chunks[1].start == len(cats * 7)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"strategy": "sentence_chunkin"}, "Did you mean 'sentence_chunking'?"),
        ({"strategy": "x"}, "There are: recursive_chunking"),
        ({"size": 0, "overlap": 0}, "out of range"),
        ({"size": MAX_SIZE + 1}, "out of range"),
        ({"size": 10, "overlap": 10}, "does not fit"),
        ({"overlap": -1}, "does not fit"),
        ({"strategy": "semantic_chunking"}, "needs an embedder"),
    ],
)
def test_what_cannot_be_done_is_refused(arguments: dict[str, object], said: str) -> None:
    """An unknown name or a number out of range is one sentence and a hint."""
    with pytest.raises(BadInput, match=said.replace("?", r"\?")) as refused:
        chunk("text", **arguments)  # type: ignore[arg-type]
    assert refused.value.hint


@pytest.mark.parametrize("strategy", strategies())
@pytest.mark.parametrize(
    "unit",
    ["\n", " ", "\n ", ".", ".)", "! ", "\n" * 99 + "x", "漢", "a", ">", "# a\n", "a.B ", "- "],
)
def test_hostile_texts_take_little_time(strategy: str, unit: str) -> None:
    """300,000 characters of one thing over and over are cut in seconds, not in minutes."""
    text = unit * (300_000 // len(unit))
    start = time.process_time()
    chunk(text, strategy=strategy, embed=toy_embed)
    assert time.process_time() - start < 5


def test_a_very_long_line_is_cut_between_words() -> None:
    """A line that is cut before the splitter sees it loses nothing and tears no word."""
    text = "sluice " * 9_000
    chunks = chunk(text, overlap=0)
    pieces = [text[one.start : one.end] for one in chunks]
    assert " ".join(pieces) == text.strip()


def test_two_megabytes_are_quick() -> None:
    """Recursive chunking of English prose takes well under a second for each two megabytes."""
    chance = random.Random(7)
    words = [
        "the",
        "water",
        "of",
        "a",
        "river",
        "turns",
        "wheels",
        "slowly",
        "and",
        "mills",
        "grind",
    ]
    paragraphs = []
    for _ in range(4000):
        many = [" ".join(chance.choices(words, k=14)).capitalize() + "." for _ in range(8)]
        paragraphs.append(" ".join(many))
    text = "\n\n".join(paragraphs)[:2_000_000]
    start = time.process_time()
    chunks = chunk(text)
    spent = time.process_time() - start
    assert len(chunks) > 2_000
    assert spent < 2, f"{len(text) / spent / 1e6:.1f} MB/s"  # 5 MB/s and more on an idle machine
