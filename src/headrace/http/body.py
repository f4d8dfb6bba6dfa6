"""Reading a body without trusting it: bounded while it is read and while it is unpacked (R10, R11).

A body that broke off on the way raises `Retry` and nothing of it is used. One that is too large, or
packed in a way that hides its size, raises `NeedsHuman`: asking again would bring it again.
"""

from __future__ import annotations

import zlib

from aiohttp import ClientResponse

from headrace.errors import NeedsHuman, Retry
from headrace.http.policy import Policy

ENCODINGS = "gzip, deflate"
"""What requests accept: what zlib can unpack in bounded steps."""

_FREE = 4 * 1024 * 1024  # bytes: a small body may have any ratio, it can do no harm


async def read(response: ClientResponse, policy: Policy, host: str) -> bytes:
    """The whole body, unpacked. Raises Retry, NeedsHuman and what aiohttp raises for a broken one.

    aiohttp itself checks chunks and Content-Length; it was told not to unpack.
    """
    encoding = response.headers.get("Content-Encoding")
    unpack = None
    if encoding is not None and (name := encoding.strip().lower()) not in {"", "identity"}:
        unpack = _Unpack(name, policy, host)
    length = response.content_length
    if length is not None and length > policy.max_body:
        raise too_large(host, policy)
    content = response.content
    chunks: list[bytes] = []
    size = 0
    while chunk := await content.readany():
        size += len(chunk)
        if size > policy.max_body:
            raise too_large(host, policy)
        if unpack is not None:
            unpack.feed(chunk)
        else:
            chunks.append(chunk)
    if unpack is not None:
        return unpack.finish()
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


class _Unpack:
    """gzip (also several members in a row) or deflate (with or without the zlib wrapper)."""

    def __init__(self, name: str, policy: Policy, host: str) -> None:
        if name not in {"gzip", "x-gzip", "deflate"}:
            raise NeedsHuman(
                f"{host} sent a body encoded as {name[:40]!r}, which was not asked for.",
                hint=f"Only {ENCODINGS} are unpacked, and only one of them at a time.",
            )
        self._gzip = name != "deflate"
        self._policy = policy
        self._host = host
        self._unpacker: zlib._Decompress | None = None
        self._out: list[bytes] = []
        self._wire = 0
        self._size = 0

    def feed(self, data: bytes) -> None:
        """Unpack as much as has come. Raises Retry for damage, NeedsHuman for a bomb."""
        self._wire += len(data)
        while data:
            if self._unpacker is None:
                if self._out and not data.strip(b"\0"):
                    return  # padding after the last gzip member is allowed
                self._unpacker = zlib.decompressobj(31 if self._gzip else _deflate_bits(data))
            unpacker = self._unpacker
            try:
                out = unpacker.decompress(data, self._room() + 1)
            except zlib.error as error:
                raise Retry(f"{self._host} sent a damaged compressed body ({error}).") from None
            self._size += len(out)
            if self._size > self._limit():
                raise too_large(self._host, self._policy)
            self._out.append(out)
            data = unpacker.unconsumed_tail
            if unpacker.eof:
                data = unpacker.unused_data if self._gzip else b""
                self._unpacker = None

    def finish(self) -> bytes:
        """The body, if its packing is complete. Raises Retry otherwise."""
        if self._unpacker is not None:
            raise Retry(f"{self._host} sent a compressed body that breaks off.")
        return b"".join(self._out)

    def _limit(self) -> int:
        return min(self._policy.max_body, max(_FREE, self._wire * self._policy.max_ratio))

    def _room(self) -> int:
        return self._limit() - self._size


def _deflate_bits(data: bytes) -> int:
    # RFC 9110 means the zlib format, some servers send the bare stream.
    head = int.from_bytes(data[:2], "big")
    return 15 if data[0] & 0x0F == 8 and len(data) > 1 and head % 31 == 0 else -15


def too_large(host: str, policy: Policy) -> NeedsHuman:
    """The refusal of a body over the cap, or of one that unpacks out of all proportion."""
    return NeedsHuman(
        f"{host} sent a body larger than is accepted"
        f" ({policy.max_body >> 20} MiB, {policy.max_ratio} times its packed size).",
        hint="Ask for fewer records a page (limit.value).",
    )
