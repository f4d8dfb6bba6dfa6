"""The HTTP server holds its limits, and keeps its connections."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import ClientSession

from headrace.twin.server import BODY_LIMIT_BYTES, HEAD_LIMIT_BYTES

Start = Callable[..., Awaitable[ClientSession]]
GET = b"GET /health HTTP/1.1\r\nHost: twin\r\n\r\n"


async def connect(twin: ClientSession) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    url = twin._base_url
    assert url is not None
    assert url.host == "127.0.0.1"
    return await asyncio.open_connection(url.host, url.port)


async def answered(twin: ClientSession, sent: bytes) -> bytes:
    """All that comes back until the server closes the connection."""
    reader, writer = await connect(twin)
    writer.write(sent)
    try:
        async with asyncio.timeout(10):
            return await reader.read()
    finally:
        writer.close()


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"hello\r\n\r\n", 400),
        (b"GET /health HTTP/1.1\r\nno colon\r\n\r\n", 400),
        (b"GET /health HTTP/1.0\r\n\r\n", 505),
        (b"GET /" + b"x" * HEAD_LIMIT_BYTES + b" HTTP/1.1\r\n\r\n", 431),
        (b"POST /admin/faults HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        (
            b"POST /admin/faults HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % (BODY_LIMIT_BYTES + 1),
            413,
        ),
        (b"POST /admin/faults HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 501),
    ],
)
async def test_what_cannot_be_read_is_refused_and_ends_the_connection(
    start: Start, sent: bytes, status: int
) -> None:
    assert (await answered(await start(), sent)).startswith(b"HTTP/1.1 %d " % status)


async def test_one_connection_carries_one_exchange_after_another(start: Start) -> None:
    close = GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    received = await answered(await start(), GET + GET + close)
    assert received.count(b'{"status":"ok"}') == 3


async def test_a_client_that_leaves_in_the_middle_harms_nobody(start: Start) -> None:
    twin = await start()
    assert await answered_to_half(twin) == b""
    async with twin.get("/health") as answer:
        assert answer.status == 200


async def answered_to_half(twin: ClientSession) -> bytes:
    reader, writer = await connect(twin)
    writer.write(GET[:10])
    writer.write_eof()
    received = await reader.read()
    writer.close()
    return received


async def test_a_client_that_does_not_read_holds_up_only_itself(start: Start) -> None:
    twin = await start()
    _, writer = await connect(twin)
    page = GET.replace(b"/health", b"/events?limit=5000")
    writer.write(page * 50)
    await writer.drain()
    async with twin.get("/events?limit=1") as answer:
        assert answer.status == 200
    async with twin.get("/admin/stats") as answer:
        assert (await answer.json())["requests"] < 20
    writer.close()
