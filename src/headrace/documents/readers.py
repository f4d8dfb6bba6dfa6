"""One file to one reading, in this process: what the child does with what it is given."""

from __future__ import annotations

from headrace.documents import kinds
from headrace.documents.charset import to_text
from headrace.documents.letter import read_mail
from headrace.documents.page import page_to_markdown
from headrace.documents.pdf import read_pdf
from headrace.documents.reading import ParserOptions, Reading, markdown_reading, plain_reading
from headrace.documents.tools import tool_for
from headrace.errors import Skip


def read(media_type: str, content: bytes, options: ParserOptions) -> Reading:
    """The reading of a file of this type (see `sniff`). Raises Skip for a bad file, BadInput for
    a tool that does not fit; a hostile file may take all memory, hang or end the process."""
    reading = _read(media_type, content, options)
    if len(reading.text) > options.characters:
        raise Skip(
            f"The file gives more than {options.characters:,} characters of text.",
            hint="Split it into smaller files, or raise the limit on characters.",
        )
    if not reading.text.strip():
        raise Skip(
            "There is no text in the file.", hint="If it holds pictures of text, turn on OCR."
        )
    return reading


def _read(media_type: str, content: bytes, options: ParserOptions) -> Reading:
    from headrace.documents.office import read_office, recognise

    tool = tool_for(media_type, options.tool)
    if media_type.startswith("image/"):
        if options.ocr:
            return recognise(media_type, content)
        raise Skip("The file is a picture.", hint="Turn on OCR to read the text in it.")
    if tool == "pypdfium2":
        reading = read_pdf(media_type, content, options)
        if reading is not None:
            return reading
        if options.ocr:
            return recognise(media_type, content)
        raise Skip("The PDF has pages but no text.", hint="It may be scanned: turn on OCR.")
    if tool == "kreuzberg":
        return read_office(media_type, content)
    if media_type == kinds.MAIL:
        return read_mail(media_type, content)
    text = to_text(content)
    if media_type == kinds.HTML:
        return markdown_reading(media_type, *page_to_markdown(text))
    if media_type == kinds.MARKDOWN:
        return markdown_reading(media_type, text, None)
    return plain_reading(media_type, text)
