"""What kreuzberg reads: office documents, books, notebooks, and pictures by OCR."""

from __future__ import annotations

import html
import io
import re
import zipfile
import zlib
from functools import cache
from typing import TYPE_CHECKING

from headrace.documents import kinds
from headrace.documents.charset import to_text
from headrace.documents.page import page_to_markdown
from headrace.documents.reading import Reading, markdown_reading
from headrace.errors import Skip
from headrace.text import one_line

if TYPE_CHECKING:
    from kreuzberg import ExtractionConfig, ExtractionResult

_DAMAGED = "Download or copy it again, or save it anew in the program that wrote it."
_NO_OCR = (
    "Install Tesseract's language data (Debian: tesseract-ocr-eng) and set TESSDATA_PREFIX to its"
    " folder, or turn OCR off."
)
_ENTITY = re.compile(rb"&(?:amp|lt|gt|quot|apos|#[0-9]{1,7}|#x[0-9a-fA-F]{1,6});")
_STANDS_FOR = {0xE0F0: "&", 0xE0F1: "<", 0xE0F2: ">", 0xE0F3: '"', 0xE0F4: "'"}
_STAND_IN = {sign: chr(code).encode() for code, sign in _STANDS_FOR.items()}


def read_office(media_type: str, content: bytes) -> Reading:
    """The text of a document as Markdown. Raises Skip for one that kreuzberg cannot read."""
    try:
        if media_type == kinds.ODP:
            return markdown_reading(media_type, _slides(content), None)
        if media_type == kinds.DOCX:
            content = _without_entities(content)
        elif media_type == kinds.HTML:
            content = to_text(content).encode()  # kreuzberg takes every page for UTF-8
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, OSError) as error:
        raise Skip("The document is damaged.", hint=_DAMAGED) from error
    result = _extract(media_type, content, ocr=False)
    text = result.content
    if media_type == kinds.DOCX:
        text = text.translate(_STANDS_FOR)
    return markdown_reading(media_type, text, _title(result))


def recognise(media_type: str, content: bytes) -> Reading:
    """The text in a picture or a scanned PDF. Raises Skip, also where there is no Tesseract."""
    result = _extract(media_type, content, ocr=True)
    return markdown_reading(media_type, result.content, None)


def _extract(media_type: str, content: bytes, *, ocr: bool) -> ExtractionResult:
    from kreuzberg import KreuzbergError, MissingDependencyError, OCRError, extract_bytes_sync

    try:
        return extract_bytes_sync(content, media_type, _config(ocr))
    except (OCRError, MissingDependencyError) as error:
        raise Skip("The text in the picture cannot be read here.", hint=_NO_OCR) from error
    except KreuzbergError as error:
        reason = one_line(str(error), 120)
        if "password" in reason.lower() or "encrypt" in reason.lower():
            raise Skip(
                "The document is encrypted.", hint="Remove its password and give it again."
            ) from error
        raise Skip(f"The document cannot be read ({reason}).", hint=_DAMAGED) from error


@cache
def _config(ocr: bool) -> ExtractionConfig:
    from kreuzberg import ConcurrencyConfig, ExtractionConfig, OcrConfig, TesseractConfig

    config = ExtractionConfig(
        output_format="markdown",
        use_cache=False,  # what people's files say is kept in their database, and nowhere else
        enable_quality_processing=False,
        concurrency=ConcurrencyConfig(max_threads=1),
        # It takes two lines of large print for a table, and then cuts words away.
        ocr=OcrConfig(
            backend="tesseract", tesseract_config=TesseractConfig(enable_table_detection=False)
        )
        if ocr
        else None,
    )
    config.disable_ocr = not ocr  # type: ignore[attr-defined]  # missing in its stubs
    config.force_ocr = ocr
    config.max_archive_depth = 0  # attachments are files of their own
    return config


def _title(result: ExtractionResult) -> str | None:
    metadata = dict(result.metadata)
    core = metadata.get("core_properties")
    named = core.get("title") if isinstance(core, dict) else None
    for title in (metadata.get("title"), named, metadata.get("subject")):
        if isinstance(title, str) and title.strip():
            return " ".join(title.split())
    return None


def _without_entities(content: bytes) -> bytes:
    """The docx with every `&amp;` and its like as one plain character: kreuzberg 4.10 drops them
    from Word documents ("R&amp;D" reads "RD"). The five signs of XML get a stand-in each."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(target, "w") as result:
        parts = {info.filename: source.read(info) for info in source.infolist()}
        for name, part in parts.items():
            words = name.startswith("word/") and name.endswith(".xml")
            result.writestr(name, _ENTITY.sub(_plain, part) if words and b"&" in part else part)
    return target.getvalue()


def _plain(entity: re.Match[bytes]) -> bytes:
    sign = html.unescape(entity[0].decode())
    return _STAND_IN.get(sign) or sign.encode("utf-8", "replace")


def _slides(content: bytes) -> str:
    """An OpenDocument presentation, which kreuzberg does not know: each paragraph a block."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        source = to_text(archive.read("content.xml"))
    source = re.sub(r"<(/?)text:(?:p|h)\b", r"<\1p", source)
    return page_to_markdown(re.sub(r"<(/?)draw:page\b", r"<\1div", source))[0]
