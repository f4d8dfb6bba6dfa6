"""The header block of a message or a part: fields in order, values unfolded, nothing decoded."""

from __future__ import annotations

import re

from headrace.errors import Skip

BLOCK_CAP = 1 << 20
"""Bytes of one header block; a longer one is no mail."""
FIELDS_CAP = 5_000

_END = re.compile(rb"\n\r?\n")
_FIELD = re.compile(rb"\n([!-9;-~]+)[ \t]*:([^\n]*(?:\n[ \t][^\n]*)*)")
_STRAY = re.compile(rb"\n(?![ \t\r\n])(?![!-9;-~]+[ \t]*:)")
_CERTAIN = re.compile(
    rb"\n(?:from|to|date|subject|message-id|received|mime-version|content-type)[ \t]*:",
    re.IGNORECASE,
)
_FOLD = re.compile(rb"\r?\n")


class Headers:
    """Header fields by lower-case name. Values are text as it stands: bytes that are not ASCII
    are read as UTF-8, else as Windows-1252.
    """

    __slots__ = ("_fields",)

    def __init__(self, fields: list[tuple[bytes, bytes]]) -> None:
        self._fields: dict[bytes, list[bytes]] = {}
        for name, value in fields:
            self._fields.setdefault(name.lower(), []).append(value)

    def first(self, name: bytes) -> str:
        """The value of the first field of that name, "" if there is none."""
        values = self._fields.get(name)
        return _text(values[0]) if values else ""

    def all(self, name: bytes) -> list[str]:
        """The values of all fields of that name, in order."""
        return [_text(value) for value in self._fields.get(name, ())]

    def raw(self, name: bytes) -> bytes:
        """The bytes of the first field of that name, b"" if there is none."""
        values = self._fields.get(name)
        return values[0] if values else b""


def read(data: bytes, start: int = 0, end: int | None = None) -> tuple[Headers, int]:
    """The headers at `start`, and where the body begins. Raises Skip if they have no bounds."""
    end = len(data) if end is None else end
    if start >= end:
        return Headers([]), end
    if data[start : start + 1] == b"\n" or data[start : start + 2] == b"\r\n":
        return Headers([]), data.index(b"\n", start) + 1
    blank = _END.search(data, start, min(end, start + BLOCK_CAP))
    if blank is None and end - start > BLOCK_CAP:
        raise Skip(
            f"The message's headers are longer than {BLOCK_CAP:,} bytes.",
            hint="It is probably not mail. The raw message is kept.",
        )
    stop, body = (blank.start(), blank.end()) if blank else (end, end)
    block = b"\n" + data[start:stop]
    stray = _STRAY.search(block, 1)
    # A line that is no header ends the headers, unless headers that are beyond doubt follow it.
    if stray is not None and _CERTAIN.search(block, stray.end()) is None:
        block, body = block[: stray.start()], start + stray.start()
    fields = _FIELD.findall(block)
    if len(fields) > FIELDS_CAP:
        raise Skip(
            f"The message has more than {FIELDS_CAP:,} header fields.",
            hint="It is probably not mail. The raw message is kept.",
        )
    return Headers(fields), body


def _text(value: bytes) -> str:
    value = _FOLD.sub(b"", value).strip()
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("cp1252", "replace")
