"""Finding the records of a page that does not decode, so that one of them cannot block the rest.

msgspec refuses a whole page for a NaN, a lone surrogate or a thousand brackets inside one record.
This scanner knows only strings and brackets: it cuts the array into its elements, which are then
judged one by one. A page that breaks off is never cut: it must balance to its last byte (R10).
"""

from __future__ import annotations

import re

import msgspec

MAX_BYTES = 16 * 1024 * 1024
"""Pages larger than this are refused as a whole: scanning is a hundred times slower."""

_TOKEN = re.compile(rb'\s*("[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{}:,]|[^\s"\[\]{}:,]+)\s*', re.DOTALL)
_OPEN = {ord("["): ord("]"), ord("{"): ord("}")}
_CLOSE = frozenset(_OPEN.values())


class Salvaged(msgspec.Struct):
    """The elements of the array as received, and the page with an empty array in its place."""

    records: list[bytes]
    rest: bytes


def salvage(body: bytes, path: str) -> Salvaged | None:
    """Cut the array at dotted `path` ("": the page itself). None when there is none, or when the
    page is too large or not balanced."""
    if len(body) > MAX_BYTES:
        return None
    wanted = [b'"%b"' % part.encode() for part in path.split(".")] if path else []
    stack = bytearray()
    keys: list[bytes] = [b""]  # the last key seen, for each open level down to the array's
    spans: list[tuple[int, int]] = []
    array = end = begin = -1
    inside = 0  # depth of the array's elements, while in it
    at = 0
    previous = b""
    while at < len(body):
        found = _TOKEN.match(body, at)
        if found is None:
            return None
        token, first = found[1], found.start(1)
        at = found.end()
        mark = token[0] if len(token) == 1 else 0
        if inside and len(stack) == inside and begin < 0 and mark not in (0x2C, 0x5D):
            begin = first
        if mark in _OPEN:
            stack.append(_OPEN[mark])
            if len(stack) <= len(wanted):
                keys.append(b"")
            opens = mark == 0x5B and array < 0 and len(stack) == len(wanted) + 1
            if opens and keys[: len(wanted)] == wanted:
                array, inside = first, len(stack)
        elif mark in _CLOSE:
            if not stack or stack.pop() != mark:
                return None
            if inside and len(stack) == inside - 1:
                if begin >= 0:
                    spans.append((begin, found.start(1)))
                end, inside, begin = at, 0, -1
            del keys[len(stack) :]
        elif mark == 0x3A and 0 < len(stack) <= len(wanted):
            keys[len(stack) - 1] = previous
        elif mark == 0x2C and inside and len(stack) == inside:
            spans.append((begin, first))
            begin = -1
        previous = token
    if stack or array < 0 or end < 0:
        return None
    records = [body[a:b].rstrip() for a, b in spans if a >= 0]
    return Salvaged(records, body[:array] + b"[]" + body[end:])
