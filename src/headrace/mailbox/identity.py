"""Which message this is: the same answer from an mbox, a Maildir, an .eml and a later export.

A Message-ID alone will not do. A list's copy (with its footer) and the sender's own copy share it,
and anyone can send a second mail with the id of a first: one would hide the other, because a
later version of the same source id replaces the earlier one in every projection. So the id is

    <Message-ID> / <16 hex digits of SHA-256 over what the author wrote>

and what the author wrote is From, To, Date, Subject and the body, with line endings, runs of white
space in headers, closing blank lines and mbox quoting evened out. Everything that changes while a
message lies there (Status, X-Gmail-Labels, Received, X-Mozilla-Status) is left out: it makes a new
version of the same message, not a new message. Gmail's own id (X-GM-MSGID) is not used: an .eml of
the same mail does not have it, and a sender can write that header too.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

from headrace.mailbox.head import Head

_WRITTEN = (b"from", b"to", b"date", b"subject")
_QUOTED = re.compile(rb"^>+(?=From )", re.MULTILINE)
_ANGLED = re.compile(rb"<([^<>]*)>")
_LONGEST_ID = 200
_BLOCK = 1 << 20
_UNPRINTABLE = re.compile(r"[\x00-\x20\x7f-\xa0]")


def source_id(data: bytes, head: Head) -> str:
    """The identity of a message: `id@host/0123456789abcdef`, or `sha256:<32 digits>` without id."""
    digest = _digest(data, head)
    named = message_id(head.fields.get(b"message-id", b""))
    return f"{named}/{digest[:16]}" if named else f"sha256:{digest[:32]}"


def message_id(value: bytes) -> str:
    """A Message-ID header's value without brackets, white space and control characters.

    One that is unreasonably long is replaced by its digest: it is a key in a database index.
    """
    angled = _ANGLED.search(value)
    text = (angled[1] if angled else value).decode("utf-8", "replace")
    text = _UNPRINTABLE.sub("", text)
    if len(text) > _LONGEST_ID:
        return "sha256-" + hashlib.sha256(text.encode()).hexdigest()[:32]
    return text


def _digest(data: bytes, head: Head) -> str:
    digest = hashlib.sha256()
    for name in _WRITTEN:
        digest.update(b" ".join(head.fields.get(name, b"").split()))
        digest.update(b"\n")
    if data.find(b">From ", head.body) >= 0:
        data, start = _QUOTED.sub(b"", data[head.body :]), 0
    else:
        start = head.body
    for block in _without_returns(data, start):
        digest.update(block)
    return digest.hexdigest()


def _without_returns(data: bytes, start: int) -> Iterator[bytes]:
    """The body with plain newlines and without those at its end, in blocks: it may be large."""
    end = len(data)
    while end > start and data[end - 1] in b"\r\n":
        end -= 1
    while start < end:
        stop = min(end, start + _BLOCK)
        if data[stop - 1 : stop + 1] == b"\r\n":
            stop += 1  # a pair stays together
        yield data[start:stop].replace(b"\r\n", b"\n")
        start = stop
