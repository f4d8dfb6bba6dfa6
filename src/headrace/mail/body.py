"""The text of a message: which of its parts say it, and what is attached to it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from headrace.mail.charsets import decode
from headrace.mail.html import CAP as HTML_CAP
from headrace.mail.html import html_to_text
from headrace.mail.mime import Part
from headrace.mail.transfer import undo
from headrace.text import clean_text

TEXT_CAP = 256 * 1024
"""Characters of body text that are kept; what comes after is found in the raw message only."""
NAMES_CAP = 200

# Encoded forms are at most four times as long as what they stand for (quoted-printable UTF-8: 3).
_ENCODED_CAP = 4 * max(TEXT_CAP, HTML_CAP)
_UNNAMED = {"message/rfc822": "message.eml", "text/calendar": "invite.ics"}
_SPACES = re.compile(r"\s+")


def text_of(data: bytes, part: Part) -> str:
    """The message as plain text. Of alternatives the plain one counts, unless it is blank."""
    text = "\n\n".join(found for found in _texts(data, part) if found)
    return clean_text(text.replace("\r\n", "\n").replace("\r", "\n"))[:TEXT_CAP].strip()


def _texts(data: bytes, part: Part) -> Iterator[str]:
    if part.type == "multipart/alternative":
        yield _best(data, part)
    elif part.inner:
        room = TEXT_CAP
        for inner in part.inner:
            for text in _texts(data, inner):
                yield text
                room -= len(text)
            if room <= 0:
                return
    elif part.type.startswith("text/") and not attached(part):
        yield _leaf(data, part)


def _best(data: bytes, part: Part) -> str:
    """Of several forms of the same text the first that is plain and not blank, else any."""
    plain_first = sorted(part.inner, key=lambda inner: inner.type != "text/plain")
    for inner in plain_first:
        text = "\n\n".join(found for found in _texts(data, inner) if found.strip())
        if text:
            return text
    return ""


def _leaf(data: bytes, part: Part) -> str:
    end = min(part.end, part.start + _ENCODED_CAP)
    text = decode(undo(data[part.start : end], part.encoding), part.charset)
    if part.type == "text/html":
        return html_to_text(text)
    return text if part.type in ("text/plain", "text/enriched", "text/markdown") else ""


def attached(part: Part) -> bool:
    """Whether a part is an attachment rather than something to read in place."""
    return part.disposition == "attachment" or part.filename is not None


def attachment_names(part: Part) -> list[str]:
    """The names of everything attached, in order; what has no name is called by its kind."""
    return [_name(leaf) for leaf, _ in zip(_attachments(part), range(NAMES_CAP), strict=False)]


def _attachments(part: Part) -> Iterator[Part]:
    for inner in part.inner:
        yield from _attachments(inner)
    if not part.inner and (attached(part) or not part.type.startswith(("text/", "multipart/"))):
        yield part


def _name(part: Part) -> str:
    if part.filename:
        # Only ever shown. A path in it is the sender's, so just its last component is kept.
        name = _SPACES.sub(" ", clean_text(part.filename)).replace("\\", "/").rpartition("/")[2]
        if name.strip():
            return name.strip()[:255]
    return _UNNAMED.get(part.type, clean_text(part.type)[:100])
