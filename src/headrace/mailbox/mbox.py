"""Splitting an mbox into messages, by blocks and in one pass, however long its lines are.

What is read is never searched twice, nothing is held but the message at hand, and a message past
the cap is counted through without being held at all. Hundreds of megabytes a second.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import msgspec

from headrace.mailbox.fromline import LONGEST, WINDOW, separates
from headrace.mailbox.limits import BLOCK, KEPT_OF_OVERSIZE, MESSAGE_CAP

_SEPARATOR = b"\nFrom "
_BARE = re.compile(rb"^From ", re.MULTILINE)
_QUOTED = re.compile(rb"^>(>*From )", re.MULTILINE)
_BLANK_LINES = re.compile(rb"[\r\n]+")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# What a dropped stretch leaves behind, so that the line before a separator can still be judged.
_LOOKBACK = 8


class Piece(msgspec.Struct, gc=False):
    """One message as it stands in an mbox.

    `start` is the offset of its separator line, `end` the offset after it: where the next piece
    starts. `separator` is that line without its line ending, or b"" for stray bytes before the
    first separator. `data` is the message without the separator and without the one blank line
    that closes it; of a message larger than the cap it is only the beginning, and `size` says how
    much there is.
    """

    start: int
    end: int
    separator: bytes
    data: bytes
    size: int

    @property
    def whole(self) -> bool:
        """Whether `data` is all of the message."""
        return len(self.data) == self.size


class Splitter:
    """Iterates over the pieces that `read(n)` (at most n bytes, b"" at the end) gives from `at`.

    `at` must be 0 or some earlier piece's `start` or `end`. `position` is the offset after the
    last piece returned: a new splitter started there goes on in the same way, whatever `block`.
    """

    def __init__(
        self,
        read: Callable[[int], bytes],
        at: int = 0,
        *,
        block: int = BLOCK,
        cap: int = MESSAGE_CAP,
        keep: int = KEPT_OF_OVERSIZE,
    ) -> None:
        self._read = read
        self._block = block
        self._cap = cap
        self._keep = keep
        self._buffer = bytearray()
        self._ended = False
        self.position = at

    def __iter__(self) -> Iterator[Piece]:
        while (piece := self.next_piece()) is not None:
            yield piece

    def next_piece(self) -> Piece | None:
        """The next message, or None at the end of the file."""
        self._skip_blank_lines()
        if not self._buffer:
            return None
        start = self.position
        body = self._separator_length()
        separator = bytes(self._buffer[:body]).rstrip(b"\r\n")
        head, size, end = self._body(body)
        if head is None:
            size -= _closing_blank(self._buffer, body, end)
            with memoryview(self._buffer) as view:  # one copy: a message may be large
                head = bytes(view[body : body + size])
        del self._buffer[:end]
        return Piece(start, self.position, separator, head, size)

    def _body(self, body: int) -> tuple[bytes | None, int, int]:
        """Find where the message that begins at `body` ends, and move `position` there.

        Returns its beginning if it is larger than the cap (else None), its size, and its end as
        an index into the buffer.
        """
        buffer = self._buffer
        head: bytes | None = None
        dropped = 0
        # The newline that ends the separator line also counts: a message may be empty.
        first = body - 1
        scan = max(first, 0)
        while True:
            found = buffer.find(_SEPARATOR, scan)
            if found < 0:
                scan = max(scan, len(buffer) - len(_SEPARATOR) + 1)
                if head is None and scan - body > self._cap:
                    head = bytes(buffer[body : body + self._keep])
                if head is not None and scan > _LOOKBACK:
                    gone = scan - _LOOKBACK
                    del buffer[:gone]
                    dropped += gone
                    scan, first = _LOOKBACK, -1
                if not self._fill():
                    end = len(buffer)
                    break
                continue
            while len(buffer) < found + 1 + WINDOW and self._fill():
                pass
            if self._separates(found, directly=found == first):
                end = found + 1
                break
            scan = found + 1
        self.position += dropped + end
        size = dropped + end - body
        if head is None and size > self._cap:
            head = bytes(buffer[body : body + self._keep])
        return head, size, end

    def _separates(self, newline: int, *, directly: bool) -> bool:
        """Whether the line after the newline at this index is a separator."""
        buffer = self._buffer
        start = newline + 1
        end = buffer.find(b"\n", start, start + LONGEST)
        if end < 0:
            # A last line cut short while a mailbox is being written to: only a date vouches for it.
            if len(buffer) - start > LONGEST:
                return False
            end = len(buffer)
        before = bytes(buffer[max(newline - 2, 0) : newline])
        blank = directly or before.endswith(b"\n") or before == b"\n\r"
        following = bytes(buffer[end + 1 : start + WINDOW])
        return separates(bytes(buffer[start:end]), following, after_blank=blank)

    def _separator_length(self) -> int:
        """The length of the separator line the buffer starts with, 0 if it starts with none."""
        while len(self._buffer) <= LONGEST and self._fill():
            pass
        if not self._buffer.startswith(b"From "):
            return 0
        end = self._buffer.find(b"\n", 0, LONGEST)
        # Without a newline it is one only as the last line of a file that is still being written.
        return end + 1 if end >= 0 else len(self._buffer) if self._ended else 0

    def _skip_blank_lines(self) -> None:
        buffer = self._buffer
        if self.position == 0:
            while len(buffer) < len(_BYTE_ORDER_MARK) and self._fill():
                pass
            if buffer.startswith(_BYTE_ORDER_MARK):
                self._advance(len(_BYTE_ORDER_MARK))
        while True:
            blank = _BLANK_LINES.match(buffer)
            length = blank.end() if blank else 0
            del blank  # it pins the buffer's size
            self._advance(length)
            if buffer or not self._fill():
                return

    def _advance(self, count: int) -> None:
        del self._buffer[:count]
        self.position += count

    def _fill(self) -> bool:
        """Read one more block; False at the end."""
        if not self._ended:
            data = self._read(self._block)
            self._buffer += data
            self._ended = not data
        return not self._ended


def _closing_blank(buffer: bytearray, start: int, end: int) -> int:
    """The length of the blank line that an mbox writer adds after every message, 0 if none."""
    tail = buffer[max(start, end - 3) : end]
    if tail == b"\n\r\n" or (tail == b"\r\n" and end - start == 2):
        return 2
    return int(tail.endswith(b"\n\n") or (tail == b"\n" and end - start == 1))


def unquote(data: bytes) -> bytes:
    """Undo mboxrd's quoting: one `>` off every line that is `>From `, `>>From `, and so on.

    A message in which a line starts with a bare `From ` was not quoted by its writer (every
    quoting writer would have quoted that one), so it is left as it is.
    """
    if b">From " not in data or _BARE.search(data):
        return data
    return _QUOTED.sub(rb"\1", data)
