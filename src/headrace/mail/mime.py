"""The parts of a message, as offsets into it: nothing is copied or decoded until it is wanted."""

from __future__ import annotations

import re

import msgspec

from headrace.errors import Skip
from headrace.mail.headers import Headers, read
from headrace.mail.params import parse_value

DEPTH_CAP = 40
PARTS_CAP = 1_000

_LINE_REST = re.compile(rb"(--)?[ \t]*\r?(?:\n|\Z)")
_LONGEST_BOUNDARY = 256
_UNENCODED = ("", "7bit", "8bit", "binary")


class Part(msgspec.Struct):
    """One part. `start` and `end` bound its body in the message; `inner` are a multipart's parts,
    or the one message that a message/rfc822 part carries.

    `type` is like `text/plain`, `disposition` like `attachment` or "", `filename` is None where
    neither header gives one. All are lower-case but the filename.
    """

    headers: Headers
    start: int
    end: int
    type: str
    charset: str | None
    encoding: str
    disposition: str
    filename: str | None
    inner: list[Part] = []


def parse_parts(data: bytes) -> Part:
    """The message's outermost part. Raises Skip when it nests too deep or has too many parts."""
    return _Parser(data).part(0, len(data), 0, default="text/plain")


def unbounded() -> Skip:
    """The refusal of a message whose structure is no letter's."""
    return Skip(
        f"The message has more than {PARTS_CAP:,} parts, or parts {DEPTH_CAP} deep.",
        hint="It is damaged or malicious. The raw message is kept.",
    )


class _Parser:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._left = PARTS_CAP

    def part(self, start: int, end: int, depth: int, default: str) -> Part:
        self._left -= 1
        if self._left < 0 or depth > DEPTH_CAP:
            raise unbounded()
        headers, body = read(self._data, start, end)
        body = min(body, end)
        type_, parameters = parse_value(headers.first(b"content-type"))
        disposition, more = parse_value(headers.first(b"content-disposition"))
        type_ = type_ if type_.count("/") == 1 else default
        part = Part(
            headers=headers,
            start=body,
            end=end,
            type=type_,
            charset=parameters.get("charset"),
            encoding=headers.first(b"content-transfer-encoding").lower(),
            disposition=disposition,
            filename=more.get("filename") or parameters.get("name") or None,
        )
        boundary = parameters.get("boundary", "")
        if type_.startswith("multipart/"):
            inner_default = "message/rfc822" if type_ == "multipart/digest" else "text/plain"
            spans = self._spans(boundary, body, end)
            part.inner = [self.part(*span, depth + 1, inner_default) for span in spans]
            if not spans:
                part.type = "text/plain"  # nothing to take apart: what is there may be readable
        elif type_ == "message/rfc822" and part.encoding in _UNENCODED:
            part.inner = [self.part(body, end, depth + 1, "text/plain")]
        return part

    def _spans(self, boundary: str, start: int, end: int) -> list[tuple[int, int]]:
        """Where the parts between the boundary lines are; an unclosed last one runs to the end."""
        if not boundary or len(boundary) > _LONGEST_BOUNDARY:
            return []
        delimiter = b"--" + boundary.encode("utf-8", "replace")
        data, spans, opened = self._data, [], -1
        at = data.find(delimiter, start, end)
        while at >= 0:
            after = at + len(delimiter)
            rest = _LINE_REST.match(data, after, end)
            if rest is not None and (at == start or data[at - 1 : at] == b"\n"):
                if opened >= 0:
                    spans.append((opened, _before_newline(data, opened, at)))
                opened = min(rest.end(), end)
                if rest[1] or len(spans) > self._left:
                    return spans
            at = data.find(delimiter, after, end)
        if opened >= 0:
            spans.append((opened, end))
        return spans


def _before_newline(data: bytes, start: int, at: int) -> int:
    """The line break before a boundary line belongs to the boundary."""
    if at - 2 >= start and data[at - 2 : at] == b"\r\n":
        return at - 2
    return max(at - 1, start)
