"""No answer, however slow, holds a worker: every request has one deadline for everything."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from headrace.errors import Retry

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"


@pytest.mark.parametrize("raw", [b"", b"HTTP/1.1 200 OK\r\n", HEAD, HEAD + b"{"])
async def test_silence(net: Any, raw: bytes) -> None:
    """Covers R17, A1.13: no byte at all, half a header, half a body."""
    script = await net.serve(net.wire.raw(raw, "hang"))
    began = time.monotonic()

    with pytest.raises(Retry, match=r"within 0\.3 seconds"):
        await net.make(script.url, timeout=0.3, retries=1).request("GET", "/")

    assert time.monotonic() - began < 5
    assert len(script.requests) == 2


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\nX: ", HEAD])
async def test_a_slow_drip(net: Any, head: bytes) -> None:
    """Covers R17: a byte now and then keeps a connection alive, not a request."""
    dripped = 0

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal dripped
        writer.write(head)
        try:
            while not writer.is_closing():
                writer.write(b"x")
                await writer.drain()
                dripped += 1
                await asyncio.sleep(0.02)  # the drip itself
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    net.servers.append(server)
    port = server.sockets[0].getsockname()[1]

    with pytest.raises(Retry, match="did not finish"):
        await net.make(f"http://127.0.0.1:{port}", timeout=0.4, retries=0).request("GET", "/")

    assert dripped > 1


async def test_a_slow_answer_within_the_deadline_is_fine(net: Any) -> None:
    """Covers R17: the deadline is no read timeout."""
    script = await net.serve(net.wire.ok())

    assert (await net.make(script.url, timeout=0.5).request("GET", "/")).status == 200
