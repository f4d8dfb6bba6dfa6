"""Unpacking a compressed stream without believing it: damage ends it, a bomb ends it."""

from __future__ import annotations

import lzma
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from headrace.mailbox.files import explained, stamp
from headrace.mailbox.limits import ARCHIVE_RATIO, ARCHIVE_RATIO_FROM, KIB

DAMAGE = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError)
"""What the standard library raises for packed bytes that make no sense; besides an OSError
without an error number (gzip, bz2), and RuntimeError for an encrypted member."""

_STEP = 16 * KIB


class Unpacked:
    """Reads like a file, forwards only. After damage it reads as ended, and `damage` says why.

    `packed` is the file underneath: its position tells how much was spent on what came out. `size`
    is how many bytes it says will come, 0 if it does not.
    """

    def __init__(self, stream: BinaryIO, packed: BinaryIO, started: int = 0, size: int = 0) -> None:
        self.size = size
        self._stream = stream
        # What one call unpacks before it meets damage is lost: small calls, which `read1` makes.
        self._read: Callable[[int], bytes] = getattr(stream, "read1", stream.read)
        self._packed = packed
        self._started = started
        self._given = 0
        self.damage = ""

    def read(self, count: int) -> bytes:
        """At most `count` unpacked bytes; b"" at the end or where the damage starts."""
        if self.damage:
            return b""
        try:
            data = self._read(min(count, _STEP))
        except DAMAGE as error:
            self.damage = f"its packed bytes are damaged ({error})"
            return b""
        except OSError as error:
            if error.errno is not None:
                raise
            self.damage = f"its packed bytes are damaged ({error})"
            return b""
        self._given += len(data)
        spent = self._packed.tell() - self._started
        if self._given > ARCHIVE_RATIO_FROM and self._given > ARCHIVE_RATIO * max(spent, 1):
            self.damage = f"it unpacks to more than {ARCHIVE_RATIO} times its size, as no mail does"
            return b""
        return data

    def skip(self, count: int) -> None:
        """Read on by `count` bytes, holding one block at a time."""
        while count > 0 and (data := self.read(min(count, 1 << 20))):
            count -= len(data)

    def close(self) -> None:
        """Close the stream and the file underneath."""
        self._stream.close()
        self._packed.close()


class Packed:
    """A compressed stream on disk that can be opened from its start, any number of times.

    `identify` says what tells one content from another and may be slow, so its answer is kept
    while the file's own stamp stays the same.
    """

    def __init__(
        self, path: Path, open_: Callable[[], Unpacked], identify: Callable[[], str] | None = None
    ) -> None:
        self.open = open_
        self._path = path
        self._identify = identify
        self._known: tuple[str, str] = ("", "")

    def identity(self) -> str:
        """Equal while the content is; one stat when nothing has changed since it was last asked."""
        with explained(self._path):
            now = stamp(self._path.stat())
        if now != self._known[0]:
            self._known = (now, self._identify() if self._identify else now)
        return self._known[1]
