"""Real files that crash, stall, starve or flood their parser: each is one clear Skip."""

from __future__ import annotations

import random
import time

import pytest
from tests.documents import made

from headrace.documents import ParserOptions, Parsers
from headrace.documents.page import page_to_markdown
from headrace.errors import Skip

_DEEP = 30_000


@pytest.fixture(scope="module")
def heavy() -> bytes:
    """A docx of 200,000 different paragraphs: no bomb, and yet much to read."""
    numbers = random.Random(7)
    return made.docx([f"{numbers.random()}" for _ in range(200_000)])


def _works(parsers: Parsers) -> bool:
    return parsers.read("a.docx", made.docx(["still here"])).text.endswith("still here\n")


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.pdf", made.pdf(["One", "Two"])[:120], "damaged"),
        ("a.pdf", made.locked_pdf(), "encrypted"),
        ("a.docx", made.packed({"[Content_Types].xml": "", "word/document.xml": "<"}), "read"),
        ("a.odp", made.packed({"a": "b"}, first=("mimetype", made.ODP)), "damaged"),
        ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"B\0o\0o\0k\0" * 9, "read"),
        ("a.ipynb", b'{"cells":' + b"[" * 100_000, "read"),
        ("a.txt", bytes(range(256)) * 9, "neither text"),
        ("a.html", b"<html><script>only()</script>", "no text"),
    ],
)
def test_damaged_files(parsers: Parsers, name: str, content: bytes, reason: str) -> None:
    """What a library says of a bad file becomes one sentence and a hint."""
    with pytest.raises(Skip, match=reason) as refusal:
        parsers.read(name, content)
    assert refusal.value.hint
    assert _works(parsers)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.epub", made.epub(["<div>" * _DEEP + "x" + "</div>" * _DEEP])),
        ("a.docx", made.docx([], body=made.fraction(_DEEP))),
    ],
)
def test_files_that_crash_the_parser(parsers: Parsers, name: str, content: bytes) -> None:
    """Elements nested so deep that the parser's stack overflows: the process dies, we do not."""
    with pytest.raises(Skip, match="SIGSEGV") as refusal:
        parsers.read(name, content)
    assert "nested too deep" in refusal.value.hint
    assert _works(parsers)


def test_a_page_nested_deep_is_read(parsers: Parsers) -> None:
    """100,000 elements inside each other cost nothing: no tree is built."""
    assert parsers.read("a.html", b"<div>" * 100_000 + b"deep").text == "deep"


@pytest.mark.parametrize(
    "unit", ["<", "<a ", "<!--", '<a b="', "&amp", "<svg>", "</", "<![", "<td>x", "<script>", "<p>"]
)
def test_pages_of_one_thing_over_and_over(unit: str) -> None:
    """A megabyte of what nobody closes takes time in keeping with its length."""
    began = time.monotonic()
    page_to_markdown(unit * (1_000_000 // len(unit)) + "</p></a>")
    assert time.monotonic() - began < 5


def test_a_file_that_takes_too_long(parsers: Parsers, heavy: bytes) -> None:
    """The clock ends the child, and says how long it was."""
    with pytest.raises(Skip, match=r"longer than 0\.2 seconds"):
        parsers.read("a.docx", heavy, ParserOptions(seconds=0.2))
    assert _works(parsers)


def test_files_that_need_too_much_memory(parsers: Parsers, heavy: bytes) -> None:
    """Libraries that abort and Python that raises are told of in the same words."""
    options = ParserOptions(memory=100 << 20)
    for name, content in (("a.docx", heavy), ("a.txt", "ж".encode() * (20 << 20))):
        with pytest.raises(Skip, match="more than 100 MB"):
            parsers.read(name, content, options)
        assert _works(parsers)


def test_a_zip_that_lies_about_its_size(parsers: Parsers) -> None:
    """A member that claims 1 KB and unpacks to 300 MB meets the memory limit, or is damaged."""
    content = made.lying(made.docx([], body=" " * (300 << 20)), 1024)
    with pytest.raises(Skip):
        parsers.read("a.docx", content, ParserOptions(memory=100 << 20, seconds=5))
    assert _works(parsers)


def test_more_text_than_allowed(parsers: Parsers) -> None:
    """The limit on characters holds for every kind of file."""
    options = ParserOptions(characters=1_000)
    for name, content in (
        ("a.txt", b"word " * 300),
        ("a.docx", made.docx(["word " * 300])),
        ("a.pdf", made.pdf(["word " * 15] * 20)),
    ):
        with pytest.raises(Skip, match="1,000 characters"):
            parsers.read(name, content, options)
