"""A cheap look at a message's headers: where they end, and the few that say which message it is.

No MIME parsing: landing has to be fast and must not fail on what only a stage needs to understand.
"""

from __future__ import annotations

import re

import msgspec

from headrace.mailbox.limits import HEAD_CAP

_END = re.compile(rb"\n\r?\n")
_FIELD = re.compile(
    rb"\n(message-id|date|from|to|subject)[ \t]*:([^\n]*(?:\n[ \t][^\n]*)*)", re.IGNORECASE
)


class Head(msgspec.Struct, gc=False):
    """`body` is the offset at which the body starts; `fields` maps lower-case names to raw values.

    Of a field that occurs twice the first occurrence counts. `headed` says whether the message
    starts with something that looks like a header at all.
    """

    body: int
    fields: dict[bytes, bytes]


def look(data: bytes) -> Head:
    """Scan the headers of a message, of which only the first 256 KiB are looked at."""
    if data.startswith((b"\n", b"\r\n")):
        return Head(data.index(b"\n") + 1, {})
    end = _END.search(data, 0, HEAD_CAP)
    stop, body = (end.start(), end.end()) if end else (min(len(data), HEAD_CAP), len(data))
    fields: dict[bytes, bytes] = {}
    for name, value in _FIELD.findall(b"\n" + data[:stop]):
        fields.setdefault(name.lower(), value)
    return Head(body, fields)
