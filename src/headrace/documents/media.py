"""What a file is: by its content first, by its name second."""

from __future__ import annotations

import re
import zipfile
import zlib
from pathlib import PurePosixPath
from typing import NoReturn

from headrace.documents import kinds
from headrace.documents.zips import open_document
from headrace.errors import Skip
from headrace.text import one_line

_FIRST = 4096
_PDF_WITHIN = 1024
"""Readers of PDF allow this many bytes before the signature."""
_DAMAGED = "Download or copy it again: a file that is cut short looks like this."
_LOCKED = "Remove its password and give it again."
_PAGE = re.compile(
    rb"\s*(?:<\?xml[^>]*>\s*|<!--(?>.*?-->)\s*)*<(?:!doctype\s+html|html|head|body)\b",
    re.IGNORECASE | re.DOTALL,
)
_MAIL = re.compile(
    rb"(?:[!-9;-~]{1,76}:[^\n]*\n(?:[ \t][^\n]*\n)*)*?"
    rb"(?:from|received|return-path|message-id|delivered-to|mime-version):[^\n]*\n"
    rb"(?:[ \t][^\n]*\n)*[!-9;-~]{1,76}:",
    re.IGNORECASE,
)
_OPEN_XML = (("word/", kinds.DOCX), ("xl/", kinds.XLSX), ("ppt/", kinds.PPTX))
_OLE = (
    ("EncryptedPackage", ""),
    ("__substg1.0_", kinds.MSG),
    ("WordDocument", kinds.DOC),
    ("PowerPoint Document", kinds.PPT),
    ("Workbook", kinds.XLS),
    ("Book", kinds.XLS),
)
_OPEN_DOCUMENT = frozenset({kinds.EPUB, kinds.ODT, kinds.ODS, kinds.ODP})


def sniff(name: str, content: bytes) -> str:
    """The media type of a file.

    Raises Skip for an empty, locked or damaged one, for one whose content is not what its name
    says, and for what is no document: programs, databases, sound and video, archives.
    """
    if not content.strip(b"\0 \t\r\n"):
        raise Skip("The file is empty.", hint="Nothing is lost; give it again when it has content.")
    found = _by_content(content)
    if found is not None:
        return found
    ending = PurePosixPath(name).suffix[1:].lower()
    named = kinds.BY_ENDING.get(ending)
    if named == kinds.PDF or named in kinds.OFFICE or (named or "").startswith("image/"):
        raise Skip(
            f"The file is named .{ending} and is none inside.",
            hint=f"{_DAMAGED} If it is of another kind, name it so.",
        )
    first = content[:_FIRST]
    # A name is often wrong about web pages and mail, and those show what they are.
    if _PAGE.match(first.removeprefix(b"\xef\xbb\xbf")):
        return kinds.HTML
    if named in (None, kinds.PLAIN) and _MAIL.match(first):
        return kinds.MAIL
    return named or kinds.PLAIN


def _by_content(content: bytes) -> str | None:
    first = content[:_FIRST]
    for magic, (what, hint) in kinds.REFUSED:
        if first.startswith(magic):
            _refuse(what, hint)
    if first.startswith(b"MZ") and b"\0" in first:
        _refuse(*kinds.PROGRAM)
    if first[257:262] == b"ustar":
        _refuse(*kinds.ARCHIVE)
    if first[4:8] == b"ftyp" or (first[:4] == b"RIFF" and first[8:12] in (b"WAVE", b"AVI ")):
        _refuse(*kinds.SOUND)
    if first.startswith((b"PK\3\4", b"PK\5\6")):
        return _zip(content)
    if first.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return _ole(content)
    for magic, media_type in kinds.IMAGES:
        if first.startswith(magic):
            return media_type
    if first[:4] == b"RIFF" and first[8:12] == b"WEBP":
        return "image/webp"
    if first.startswith(b"BM") and b"\0" in first[:16]:
        return "image/bmp"
    if first.startswith(b"{\\rtf"):
        return kinds.RTF
    return kinds.PDF if b"%PDF-" in first[:_PDF_WITHIN] else None


def _refuse(what: str, hint: str) -> NoReturn:
    raise Skip(f"The file is {what}, not a document.", hint=hint)


def _zip(content: bytes) -> str:
    """Which document a zip is. Raises Skip for a plain archive, and see `open_document`."""
    with open_document(content) as archive:
        names = set(archive.namelist())
        if "[Content_Types].xml" in names:
            for folder, media_type in _OPEN_XML:
                if any(name.startswith(folder) for name in names):
                    return media_type
        if "mimetype" in names:
            declared = _small(archive, "mimetype").strip().decode("ascii", "replace")
            if b"encryption-data" in _small(archive, "META-INF/manifest.xml"):
                raise Skip("The document is encrypted.", hint=_LOCKED)
            # Templates are documents.
            declared = declared.removesuffix("-template")
            if declared in _OPEN_DOCUMENT:
                return declared
            raise Skip(
                f"Documents of type {one_line(declared, 80)} are not read.",
                hint="Save it as a PDF, or as a text document, in the program that wrote it.",
            )
    _refuse(*kinds.ARCHIVE)


def _small(archive: zipfile.ZipFile, name: str) -> bytes:
    """The first of a member's bytes; none when there is no such member."""
    try:
        with archive.open(name) as member:
            return member.read(1 << 20)
    except KeyError:
        return b""
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError) as error:
        raise Skip("The file is a damaged zip archive.", hint=_DAMAGED) from error


def _ole(content: bytes) -> str:
    """Which of the old Office formats it is: each names its main stream in UTF-16."""
    for stream, media_type in _OLE:
        if stream.encode("utf-16-le") in content:
            if not media_type:
                raise Skip("The document is encrypted.", hint=_LOCKED)
            return media_type
    raise Skip(
        "The file is an old Office file of a kind that is not read, or damaged.",
        hint="Save it as .docx, .xlsx, .pptx or PDF in the program that wrote it.",
    )
