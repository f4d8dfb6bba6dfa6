"""The text of a PDF, page by page, and its outline."""

from __future__ import annotations

import re
from typing import Any

from headrace.documents.reading import LONGEST_TITLE, Heading, ParserOptions, Reading, tidy
from headrace.errors import Skip

OUTLINE_ENTRIES = 10_000
PAGE_BREAK = "\n\n"

# PDFium's sign for a hyphen that only broke the line.
_SOFT_BREAK = re.compile("\ufffe(?:\r?\n)?")
_WRONG_PASSWORD = 4


def read_pdf(media_type: str, content: bytes, options: ParserOptions) -> Reading | None:
    """The reading; None when no page has any text. Raises Skip for a locked or damaged file."""
    import pypdfium2  # type: ignore[import-untyped]  # heavy: the child alone loads it

    try:
        document = pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError as error:
        if error.err_code == _WRONG_PASSWORD:
            raise Skip(
                "The PDF is encrypted.", hint="Remove its password and give it again."
            ) from error
        raise Skip("The PDF is damaged or cut short.", hint="Download or copy it again.") from error
    try:
        return _read(document, media_type, options)
    finally:
        document.close()


def _read(document: Any, media_type: str, options: ParserOptions) -> Reading | None:
    from pypdfium2 import PdfiumError

    texts: list[str] = []
    pages: list[int] = []
    offset = 0
    for number in range(len(document)):
        try:
            page = document[number]
            text = page.get_textpage().get_text_bounded()
            page.close()
        except PdfiumError:
            text = ""  # one broken page; the others are worth having
        text = tidy(_SOFT_BREAK.sub("", text)).strip()
        texts.append(text)
        pages.append(offset)
        if offset + len(text) > options.characters:
            break  # it is refused as it stands: see `headrace.documents.readers`
        offset += len(text) + len(PAGE_BREAK)
    if not any(texts):
        return None
    title = tidy(document.get_metadata_value("Title")).strip()[:LONGEST_TITLE]
    headings = _outline(document, pages)
    return Reading(media_type, title or None, PAGE_BREAK.join(texts), pages, headings)


def _outline(document: Any, pages: list[int]) -> list[Heading]:
    found: list[Heading] = []
    for entry in document.get_toc(max_depth=6):
        target = entry.get_dest()
        page = target.get_index() if target is not None else None
        title = tidy(entry.get_title()).strip()[:LONGEST_TITLE]
        if page is not None and 0 <= page < len(pages) and title:
            found.append(Heading(pages[page], min(entry.level + 1, 6), title))
        if len(found) == OUTLINE_ENTRIES:
            break
    return sorted(found, key=lambda one: one.offset)
