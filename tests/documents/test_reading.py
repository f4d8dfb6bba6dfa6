"""What the text of a good file is."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.documents import made

from headrace.documents import ParserOptions, Parsers
from headrace.documents.reading import headings_of
from headrace.errors import BadInput, Skip


def test_pdf_pages_begin_where_they_say(parsers: Parsers) -> None:
    """A PDF's text is cut into its pages exactly, and its title is its own."""
    content = made.pdf(["First page", "", "Third page"], info="/Title (The Weir)")
    reading = parsers.read("a.pdf", content)
    ends = [*reading.pages[1:], len(reading.text)]
    cut = [reading.text[a:b].strip() for a, b in zip(reading.pages, ends, strict=True)]
    assert cut == ["First page", "", "Third page"]
    assert reading.title == "The Weir"


def test_pdf_outline_becomes_headings(parsers: Parsers) -> None:
    """Each entry of the outline points at the beginning of its page."""
    reading = parsers.read("a.pdf", made.pdf(["One", "Two"], outline="Locks"))
    (heading,) = reading.headings
    assert (heading.title, heading.level) == ("Locks", 1)
    assert reading.text[heading.offset :] == "Two"


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.docx", made.docx(["R&D <b> café"]), "# Report\n\nR&D <b> café"),
        ("a.xlsx", made.xlsx([["Year", "Sum"], ["2026", "7"]]), "| 2026 | 7 |"),
        ("a.pptx", made.pptx(["First", "Second"]), "Second"),
        ("a.epub", made.epub(["<h2>One</h2><p>Water</p>"]), "## One\n\nWater"),
        ("a.odt", made.odt(["Plain words"]), "Plain words"),
        ("a.odp", made.odp(["One slide"]), "One slide"),
        ("a.rtf", rb"{\rtf1\ansi {\b Bold} caf\u233?\par}", "**Bold** café"),
        ("a.eml", made.eml("Dear Bob"), "Dear Bob"),
    ],
)
def test_office_files_become_markdown(
    parsers: Parsers, name: str, content: bytes, expected: str
) -> None:
    """Every format gives its words, and its structure where it has some."""
    assert expected in parsers.read(name, content).text


def test_titles(parsers: Parsers) -> None:
    """A title is what the file calls itself, or else its first heading."""
    assert parsers.read("a.epub", made.epub(["<p>a</p>"])).title == "The Weir"
    assert parsers.read("a.eml", made.eml("a")).title == "The weir"
    assert parsers.read("a.docx", made.docx(["a"], heading="Sluices")).title == "Sluices"
    assert parsers.read("a.txt", b"a").title is None


def test_mail(parsers: Parsers) -> None:
    """A mail gives its chief headers and its words, also when it is HTML in an old charset."""
    content = made.eml("<p>Dear Bob,</p><p>caf=E9 &amp; weir</p>", kind="text/html")
    reading = parsers.read("a.eml", content)
    lines = ["Subject: The weir", "From: Ada <ada@example.org>", "To: bob@example.org"]
    assert reading.text.splitlines()[:3] == lines
    assert reading.text.split()[-5:] == ["Dear", "Bob,", "café", "&", "weir"]


def test_web_pages(parsers: Parsers) -> None:
    """HTML keeps its headings, lists, cells and code; scripts and styles are left out."""
    page = (
        "<!doctype html><html><head><title>A &amp; B</title><style>p {}</style></head><body>"
        "<h2>Sub <i>one</i></h2><p># five<br>two  <b>three</b><script>alert()</script>"
        "<ul><li>a<li>b</ul><table><tr><td>1<td>2<tr><td>3</table><pre># code\n  x</pre>tail"
    )
    reading = parsers.read("a.html", page.encode())
    blocks = ["## Sub one", "\\# five\ntwo three", "- a", "- b", "1 | 2", "3"]
    assert reading.text == "\n\n".join([*blocks, "```\n# code\n  x\n```", "tail"])
    assert reading.title == "A & B"
    assert [(one.offset, one.title) for one in reading.headings] == [(0, "Sub one")]


@pytest.mark.parametrize("charset", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
def test_charsets_of_text(parsers: Parsers, charset: str) -> None:
    """A text reads the same in each charset that people's editors write."""
    text = "Das Wehr über die Mühle kostet 5 €, sagt „Ada“.\n"
    assert parsers.read("a.txt", text.replace("\n", "\r\n").encode(charset)).text == text


def test_declared_charset(parsers: Parsers) -> None:
    """A web page says its charset, and is believed where its bytes are not UTF-8."""
    page = '<html><meta charset="shift_jis"><p>水門</p></html>'
    assert parsers.read("a.html", page.encode("shift_jis")).text == "水門"


def test_what_postgresql_refuses_is_taken_out(parsers: Parsers) -> None:
    """No NUL comes through, and line ends are one character."""
    assert parsers.read("a.txt", b"one\0two\r\nthree " + b"x" * 99).text.startswith("onetwo\nthree")


def test_headings_of_markdown() -> None:
    """Headings stand where their `#` stands, never inside code."""
    text = (
        "# A\n\n```py\n# no\n```\n~~~\n```\n# no\n~~~\n   ## B \\# ##\n#no\n    # no\n###### C#\n"
    )
    found = headings_of(text)
    assert [(one.level, one.title) for one in found] == [(1, "A"), (2, "B #"), (6, "C#")]
    assert all(text[one.offset :].lstrip(" ").startswith("#" * one.level) for one in found)


def test_a_tool_can_be_chosen(parsers: Parsers) -> None:
    """Another tool reads the same PDF; a wrong name gets the near one, a wrong type the right."""
    content = made.pdf(["Page"])
    assert "Page" in parsers.read("a.pdf", content, ParserOptions(tool="kreuzberg")).text
    with pytest.raises(BadInput, match="Did you mean pypdfium2"):
        parsers.read("a.pdf", content, ParserOptions(tool="pypdfium"))
    with pytest.raises(BadInput, match="Choose auto or kreuzberg"):
        parsers.read("a.docx", made.docx(["a"]), ParserOptions(tool="pypdfium2"))


def test_pictures_need_ocr(parsers: Parsers) -> None:
    """A scanned PDF and a picture say so; where there is no Tesseract, OCR says that too."""
    with pytest.raises(Skip, match="no text") as refusal:
        parsers.read("a.pdf", made.pdf([""]))
    assert "OCR" in refusal.value.hint
    with pytest.raises(Skip, match="picture") as refusal:
        parsers.read("a.png", made.png())
    assert "OCR" in refusal.value.hint
    with pytest.raises(Skip):
        parsers.read("a.png", made.png(), ParserOptions(ocr=True))  # it is blank in any case


FILES = Path(__file__).parent / "files"


@pytest.mark.parametrize(
    ("name", "text"),
    [("old.doc", "The quick heron was old office text"), ("old.xls", "| heron | 18.5 |")],
)
def test_office_files_of_before_2007(parsers: Parsers, name: str, text: str) -> None:
    """As an office program has written them (LibreOffice 7.4)."""
    assert text in parsers.read(name, (FILES / name).read_bytes()).text


def test_the_text_in_a_picture(parsers: Parsers) -> None:
    """Large print in two lines is text, not a table of which words are cut away."""
    picture = (FILES / "scan.png").read_bytes()
    try:
        reading = parsers.read("scan.png", picture, ParserOptions(ocr=True))
    except Skip as skip:
        pytest.skip(f"LOUD: the text of a picture was not read on this machine: {skip}")
    assert " ".join(reading.text.split()) == (
        "The heron stands in the reeds. Invoice 4711 of Ada Lovelace"
    )
