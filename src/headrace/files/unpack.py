"""The tar inside of a compressed one, unpacked with bounds into a file that has no name."""

from __future__ import annotations

import bz2
import io
import lzma
import tempfile
import zlib
from collections.abc import Generator, Iterator
from typing import IO

from headrace.errors import Skip

UNPACKED = 512 << 20
"""Bytes that all members together may unpack to."""
RATIO = 200
"""Times its packed size that anything may unpack to ..."""
RATIO_FROM = 10 << 20
"""... once it is larger than this many bytes: less is harmless at any ratio."""
TOO_LARGE = f"unpacks to more than {UNPACKED >> 20} MB, or to over {RATIO} times its size."

_PIECE = 1 << 20
_XZ_MEMORY = 128 << 20  # bytes: what its strongest setting asks for is 65 MB


def unpack(name: str, content: bytes, kind: str) -> IO[bytes]:
    """The tar: `kind` is gz, bz2, xz or nothing. Raises Skip for one that unpacks to too much, and
    what the decompressors raise for damage."""
    if not kind:
        return io.BytesIO(content)
    most = min(UNPACKED, max(RATIO_FROM, RATIO * len(content)))
    out = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as its archive
    size = 0
    for piece in _pieces(content, kind):
        size += len(piece)
        if size > most:
            raise Skip(f"{name} {TOO_LARGE}", hint="If you trust it, unpack it yourself.")
        out.write(piece)
    out.seek(0)
    return out


def _pieces(content: bytes, kind: str) -> Iterator[bytes]:
    """Several packed streams in a row are one, for all three kinds; zeros may follow."""
    while content.strip(b"\0"):
        if kind == "gz":
            content = yield from _gzip(content)
            continue
        unpacker = (
            bz2.BZ2Decompressor()
            if kind == "bz2"
            else lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY)
        )
        data = content
        while not unpacker.eof:
            piece = unpacker.decompress(data, _PIECE)
            data = b""
            if not piece and unpacker.needs_input:
                raise EOFError("cut short")
            yield piece
        content = unpacker.unused_data


def _gzip(content: bytes) -> Generator[bytes, None, bytes]:
    """One stream's pieces; returns what follows it."""
    unpacker = zlib.decompressobj(31)
    while not unpacker.eof:
        piece = unpacker.decompress(content, _PIECE)
        content = unpacker.unconsumed_tail
        if not piece and not content and not unpacker.eof:
            raise EOFError("cut short")
        yield piece
    return unpacker.unused_data
