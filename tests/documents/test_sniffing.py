"""What a file is: content first, name second."""

from __future__ import annotations

import sqlite3
import sys
import tarfile
from pathlib import Path

import pytest
from tests.documents import made

from headrace.documents import sniff
from headrace.errors import Skip

_OPEN_XML = "application/vnd.openxmlformats-officedocument"


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("x.txt", made.pdf(["One"]), "application/pdf"),
        ("x.zip", made.docx(["a"]), f"{_OPEN_XML}.wordprocessingml.document"),
        ("x", made.xlsx([["a"]]), f"{_OPEN_XML}.spreadsheetml.sheet"),
        ("x.pdf", made.pptx(["a"]), f"{_OPEN_XML}.presentationml.presentation"),
        ("x.bin", made.epub(["<p>a</p>"]), "application/epub+zip"),
        ("x.doc", made.odt(["a"]), "application/vnd.oasis.opendocument.text"),
        ("x.doc", b"{\\rtf1 a}", "application/rtf"),
        ("x.txt", b"\xef\xbb\xbf <!-- a --><!-- b -->\n<!DOCTYPE html><p>a", "text/html"),
        ("x", made.eml("a"), "message/rfc822"),
        ("x.md", b"# a", "text/markdown"),
        ("x.CSV", b"a,b", "text/csv"),
        ("x.json", b"{}", "application/json"),
        ("x.py", b"a = 1", "text/plain"),
        ("x.txt", b"Note: this\nand: that", "text/plain"),
        ("x.jpg", b"\x89PNG\r\n\x1a\n", "image/png"),
        ("x.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"W\0o\0r\0k\0b\0o\0o\0k\0", None),
    ],
)
def test_content_comes_before_the_name(name: str, content: bytes, expected: str | None) -> None:
    """A file is what it looks like inside; the name tells text from text."""
    assert sniff(name, content) == (expected or "application/vnd.ms-excel")


def test_what_is_no_document_is_refused(tmp_path: Path) -> None:
    """Programs, databases, archives, recordings and empty files are each named."""
    database = sqlite3.connect(tmp_path / "a.db")
    database.execute("CREATE TABLE a (b)")
    database.close()
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        archive.add(tmp_path / "a.db", "a.db")
    refused = {
        "a program": Path(sys.executable).read_bytes(),
        "a database": (tmp_path / "a.db").read_bytes(),
        "an archive": (tmp_path / "a.tar").read_bytes(),
        "sound or video": b"\0\0\0\x18ftypmp42" + bytes(9),
    }
    for what, content in refused.items():
        with pytest.raises(Skip, match=what) as refusal:
            sniff("report.pdf", content)
        assert refusal.value.hint
    with pytest.raises(Skip, match="archive"):
        sniff("a.docx", made.packed({"a.txt": "a"}))
    for content in (b"", b" \r\n", bytes(64)):
        with pytest.raises(Skip, match="empty"):
            sniff("a.txt", content)


def test_mislabelled_and_locked_files_are_refused() -> None:
    """A .pdf that is none is told so; so is an encrypted Office file."""
    with pytest.raises(Skip, match=r"named \.pdf"):
        sniff("a.pdf", b"Not found")
    locked = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le")
    with pytest.raises(Skip, match="encrypted"):
        sniff("a.docx", locked)


def test_zip_bombs_are_refused_before_they_unpack() -> None:
    """Ratio, total size, number of members, overlap and damage are seen in the directory."""
    bomb = made.docx(["a"], body=" " * (11 << 20))
    with pytest.raises(Skip, match="200 times"):
        sniff("a.docx", bomb)
    many = made.packed({f"word/{number}": "" for number in range(10_001)})
    with pytest.raises(Skip, match="10,000 parts"):
        sniff("a.docx", many)
    with pytest.raises(Skip, match="cut short"):
        sniff("a.docx", made.docx(["a"])[:-30])
    with pytest.raises(Skip, match="overlap"):
        sniff("a.docx", made.overlapping(made.docx(["a"])))
    with pytest.raises(Skip, match="512 MB"):
        sniff("a.docx", made.lying(made.docx(["a"]), 513 << 20))
    with pytest.raises(Skip, match="10,000 parts"):
        sniff("a.docx", made.widened(made.docx(["a"]), members=20_000))
    assert sniff("a.docx", made.widened(made.docx(["a"]), members=5)) == sniff("a", made.docx([]))
