"""The text of a message: which of its parts say it, and what is attached to it."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

from headrace.mail.charsets import decode
from headrace.mail.html import CAP as HTML_CAP
from headrace.mail.html import html_to_text
from headrace.mail.mime import Part
from headrace.mail.params import parse_value
from headrace.mail.transfer import undo
from headrace.mail.words import decode_words
from headrace.text import clean_text

TEXT_CAP = 256 * 1024
"""Characters of body text that are kept; what comes after is found in the raw message only."""
NAMES_CAP = 200

_INVITES = frozenset({"request", "cancel", "reply", "counter", "add", "refresh"})

# Encoded forms are at most four times as long as what they stand for (quoted-printable UTF-8: 3).
_ENCODED_CAP = 4 * max(TEXT_CAP, HTML_CAP)
_SPACES = re.compile(r"\s+")


def text_of(data: bytes, part: Part) -> str:
    """The message as plain text. Of alternatives the plain one counts, unless it is blank.

    Only if it says nothing else are messages inside it (forwarded, a digest's) and named text
    files shown in place read as well.
    """
    for thorough in (False, True):
        text = "\n\n".join(found for found in _texts(data, part, thorough) if found.strip())
        if text:
            break
    text = clean_text(text[: 2 * TEXT_CAP].replace("\r\n", "\n").replace("\r", "\n"))
    return text.strip()[:TEXT_CAP]


def _texts(data: bytes, part: Part, thorough: bool) -> Iterator[str]:
    if part.type == "multipart/alternative":
        yield _best(data, part, thorough)
    elif part.type == "message/rfc822" and not thorough:
        return
    elif part.inner:
        room = TEXT_CAP
        for inner in part.inner:
            for text in _texts(data, inner, thorough):
                yield text
                room -= len(text)
            if room <= 0:
                return
    elif not attached(part) or (thorough and part.disposition != "attachment"):
        yield _leaf(data, part)


def _best(data: bytes, part: Part, thorough: bool) -> str:
    """Of several forms of the same text the first that is plain and not blank, else any."""
    plain_first = sorted(part.inner, key=lambda inner: inner.type != "text/plain")
    for inner in plain_first:
        text = "\n\n".join(found for found in _texts(data, inner, thorough) if found.strip())
        if text:
            return text
    return ""


def _leaf(data: bytes, part: Part) -> str:
    end = min(part.end, part.start + _ENCODED_CAP)
    text = decode(undo(data[part.start : end], part.encoding), part.charset)
    if part.type == "text/html":
        return html_to_text(text)
    return text if part.type in ("text/plain", "text/enriched", "text/markdown") else ""


def invites(part: Part) -> bool:
    """Whether the message carries an invitation to a meeting, an answer to one, or its end: not
    just a calendar's file."""
    if part.type == "text/calendar":
        _, parameters = parse_value(part.headers.first(b"content-type"))
        return parameters.get("method", "").lower() in _INVITES
    return part.type.startswith("multipart/") and any(map(invites, part.inner))


def attached(part: Part) -> bool:
    """Whether a part is an attachment rather than something to read in place."""
    return part.disposition == "attachment" or part.filename is not None


def attachment_names(part: Part) -> list[str]:
    """The names of everything attached, in order; what has no name is called by its kind.

    A message that is attached counts as one thing, whatever is attached to it in turn.
    """
    return [name_of(leaf) for leaf in itertools.islice(_attachments(part), NAMES_CAP)]


def attachment(part: Part, number: int) -> Part | None:
    """The part with that number among what is attached, counted from 0."""
    named = itertools.islice(_attachments(part), NAMES_CAP)
    return next(itertools.islice(named, number, None), None)


def _attachments(part: Part) -> Iterator[Part]:
    if part.type == "message/rfc822" or (not part.inner and attached(part)):
        yield part
        return
    for inner in part.inner:
        yield from _attachments(inner)


def name_of(part: Part) -> str:
    """What an attachment is called."""
    name = part.filename or ""
    if not name and part.type == "message/rfc822" and part.inner:
        name = f"{decode_words(part.inner[0].headers.first(b'subject')) or 'message'}.eml"
        name = name.replace("/", "-")
    # Only ever shown; a path in it is the sender's, so just its last component is kept.
    name = _SPACES.sub(" ", clean_text(name)).replace("\\", "/").rpartition("/")[2].strip()
    return name[:255] or clean_text(part.type)[:100]
