"""Finding the records of a page that does not decode, so that one of them cannot block the rest.

msgspec refuses a whole page for a NaN, a lone surrogate or a thousand brackets inside one record.
This scanner knows only strings and brackets: it cuts the array into its elements, which are then
judged one by one. A page that breaks off is never cut: it must balance to its last byte (R10).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

MAX_TOKENS = 1_000_000
"""Strings, numbers and marks of a page that is cut: half a second of work. A page with more of
them is refused as a whole."""

_TOKEN = re.compile(rb'\s*("[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{}:,]|[^\s"\[\]{}:,]+)\s*', re.DOTALL)
_OPEN = {ord("["): ord("]"), ord("{"): ord("}")}
_CLOSE = frozenset(_OPEN.values())


class Salvaged(msgspec.Struct):
    """The elements of the array as received, where it was, and the page with it empty."""

    records: list[bytes]
    path: str
    rest: bytes


def salvage(body: bytes, paths: Sequence[str]) -> Salvaged | None:
    """Cut the first array at one of these dotted paths ("": the page itself). None when there is
    none, or when the page is too large or not balanced."""
    wanted = {tuple(b'"%b"' % p.encode() for p in path.split(".") if p): path for path in paths}
    depth = max(map(len, wanted))
    found_path = ""
    tokens = 0
    stack = bytearray()
    keys: list[bytes] = []  # the last key seen, for each open level down to the array's
    spans: list[tuple[int, int]] = []
    array = end = begin = -1
    inside = 0  # depth of the array's elements, while in it
    at = 0
    previous = b""
    while at < len(body):
        found = _TOKEN.match(body, at)
        tokens += 1
        if found is None or tokens > MAX_TOKENS:
            return None
        token, first = found[1], found.start(1)
        at = found.end()
        mark = token[0] if len(token) == 1 else 0
        if inside and len(stack) == inside and begin < 0 and mark not in (0x2C, 0x5D):
            begin = first
        if mark in _OPEN:
            stack.append(_OPEN[mark])
            if len(stack) <= depth:
                keys.append(b"")
            if mark == 0x5B and array < 0 and len(stack) <= depth + 1:
                here = tuple(keys[: len(stack) - 1])
                if here in wanted:
                    array, inside, found_path = first, len(stack), wanted[here]
        elif mark in _CLOSE:
            if not stack or stack.pop() != mark:
                return None
            if inside and len(stack) == inside - 1:
                if begin >= 0:
                    spans.append((begin, found.start(1)))
                elif spans:
                    return None  # a comma with nothing after it
                end, inside, begin = at, 0, -1
            del keys[len(stack) :]
        elif mark == 0x3A and 0 < len(stack) <= depth:
            keys[len(stack) - 1] = previous
        elif mark == 0x2C and inside and len(stack) == inside:
            if begin < 0:
                return None
            spans.append((begin, first))
            begin = -1
        previous = token
    if stack or array < 0 or end < 0:
        return None
    records = [body[a:b].rstrip() for a, b in spans]
    return Salvaged(records, found_path, body[:array] + b"[]" + body[end:])
