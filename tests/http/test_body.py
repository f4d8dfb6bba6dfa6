"""Bodies that break off, lie or explode."""

from __future__ import annotations

import gzip
import zlib
from typing import Any

import pytest

from headrace.errors import NeedsHuman, Retry

WHOLE = b'{"data":[{"id":1}]}'


def gzipped(content: bytes) -> bytes:
    """The same bytes at every call: tests are named after them, in each of the processes."""
    return gzip.compress(content, mtime=0)


def chunked(*chunks: bytes, end: bytes = b"0\r\n\r\n") -> bytes:
    head = (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    return head + b"".join(b"%x\r\n%b\r\n" % (len(c), c) for c in chunks) + end


@pytest.mark.parametrize(
    ("raw", "then"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n" + WHOLE, "close"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n" + WHOLE, "reset"),
        (chunked(WHOLE[:9], end=b""), "close"),
        (chunked(WHOLE, end=b""), "close"),
        (chunked(WHOLE, end=b"0\r\n"), "reset"),
        (chunked(WHOLE[:9], end=b"zz\r\nxx\r\n0\r\n\r\n"), "close"),
        (chunked(end=b"-5\r\n" + WHOLE), "close"),
        (chunked(end=b"5\r\n" + WHOLE), "close"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: nine\r\n\r\n" + WHOLE, "close"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -9\r\n\r\n" + WHOLE, "close"),
        (b"HTTP/9.9 200 OK\r\n\r\n", "close"),
        (b"\x16\x03\x01\x02", "close"),
        (b"", "close"),
        (b"", "reset"),
        (b"HTTP/1.1 200 OK\r\nConte", "reset"),
    ],
)
async def test_a_broken_answer_is_asked_for_again(net: Any, raw: bytes, then: str) -> None:
    """Covers R10, R8: truncated, bad chunk, reset in mid-body: retried, nothing partial is used."""
    script = await net.serve(net.wire.raw(raw, then), net.wire.raw(raw, then), net.wire.ok(WHOLE))

    answer = await net.make(script.url).request("GET", "/")

    assert answer.body == WHOLE
    assert len(script.requests) == 3


async def test_chunks_of_any_size_make_one_body(net: Any) -> None:
    """Covers R10: one byte a chunk is odd but right."""
    script = await net.serve(
        net.wire.raw(chunked(*(WHOLE[i : i + 1] for i in range(len(WHOLE)))), "keep")
    )

    assert (await net.make(script.url).request("GET", "/")).body == WHOLE


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        ("gzip", gzipped(WHOLE)),
        ("x-gzip", gzipped(WHOLE)),
        ("GZIP", gzipped(WHOLE)),
        ("gzip", gzipped(WHOLE[:7]) + gzipped(WHOLE[7:])),
        ("gzip", gzipped(WHOLE) + b"\0" * 512),
        ("deflate", zlib.compress(WHOLE)),
        ("deflate", raw_deflate(WHOLE)),
        ("identity", WHOLE),
        ("", WHOLE),
    ],
)
async def test_unpacking(net: Any, encoding: str, packed: bytes) -> None:
    """Covers R11: gzip (also in members) and deflate (with and without its wrapper)."""
    script = await net.serve(net.wire.ok(packed, Content_Encoding=encoding))

    assert (await net.make(script.url).request("GET", "/")).body == WHOLE


@pytest.mark.parametrize(
    "packed",
    [
        gzipped(WHOLE * 100)[:-9],
        gzipped(WHOLE * 100)[:-4] + b"\1\2\3\4",
        gzipped(WHOLE) + b"rubbish",
        b"\x1f\x8b\x08\x00rubbish",
        WHOLE,
    ],
)
async def test_damaged_packing_is_asked_for_again(net: Any, packed: bytes) -> None:
    """Covers R10: a compressed body that breaks off or fails its checksum is never used."""
    script = await net.serve(
        net.wire.ok(packed, Content_Encoding="gzip"),
        net.wire.ok(gzipped(WHOLE), Content_Encoding="gzip"),
    )

    assert (await net.make(script.url).request("GET", "/")).body == WHOLE
    assert len(script.requests) == 2


@pytest.mark.parametrize("encoding", ["gzip, gzip", "gzip,deflate", "br", "zstd", "compress", "x"])
async def test_chained_and_unknown_encodings_are_refused(net: Any, encoding: str) -> None:
    """Covers R11: only what was asked for is unpacked, and once."""
    packed = gzipped(gzipped(WHOLE))
    script = await net.serve(net.wire.ok(packed, Content_Encoding=encoding))

    with pytest.raises(NeedsHuman, match="not asked for"):
        await net.make(script.url).request("GET", "/")

    assert script.requests[0].headers["accept-encoding"] == "gzip, deflate"


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_a_bomb_is_not_unpacked(net: Any, encoding: str) -> None:
    """Covers R11, CVE-2026-21441: 64 MiB of zeros in 64 KiB, refused when out of proportion."""
    bomb = (gzip.compress if encoding == "gzip" else zlib.compress)(bytes(64 << 20), 9)
    script = await net.serve(net.wire.ok(bomb, Content_Encoding=encoding))

    with pytest.raises(NeedsHuman, match="larger than is accepted"):
        await net.make(script.url).request("GET", "/")

    assert len(script.requests) == 1


async def test_a_bomb_of_many_members_is_not_unpacked(net: Any) -> None:
    """Covers R11: what counts is the body as a whole."""
    script = await net.serve(
        net.wire.ok(gzip.compress(bytes(1 << 20), 9) * 40, Content_Encoding="gzip")
    )

    with pytest.raises(NeedsHuman):
        await net.make(script.url).request("GET", "/")


async def test_a_repetitive_page_is_no_bomb(net: Any) -> None:
    """Covers R11: records that are much alike pack a hundred times smaller."""
    page = b"[" + b'{"id":1,"type":"click"},' * 100_000 + b"{}]"
    script = await net.serve(net.wire.ok(gzip.compress(page, 9), Content_Encoding="gzip"))

    assert (await net.make(script.url).request("GET", "/")).body == page


async def test_a_declared_size_over_the_cap_is_not_read(net: Any) -> None:
    """Covers R11: refused by its Content-Length."""
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n"
    script = await net.serve(net.wire.raw(head, "hang"))

    with pytest.raises(NeedsHuman):
        await net.make(script.url).request("GET", "/")


async def test_an_undeclared_size_over_the_cap_is_cut_off(net: Any) -> None:
    """Covers R11: an endless body is dropped when the cap is passed."""
    script = await net.serve(net.wire.raw(chunked(*[b"x" * 1000] * 200, end=b""), "hang"))

    with pytest.raises(NeedsHuman):
        await net.make(script.url, max_body=100_000).request("GET", "/")


@pytest.mark.parametrize(
    "head",
    [
        b"X-Long: " + b"x" * 100_000 + b"\r\n",
        b"".join(b"X-%d: y\r\n" % n for n in range(5000)),
    ],
)
async def test_endless_headers_are_cut_off(net: Any, head: bytes) -> None:
    """Covers R11: header fields have a size and a number."""
    raw = b"HTTP/1.1 200 OK\r\n" + head + b"Content-Length: 0\r\n\r\n"
    script = await net.serve(net.wire.raw(raw))

    with pytest.raises(Retry, match="not proper HTTP"):
        await net.make(script.url, retries=1).request("GET", "/")
