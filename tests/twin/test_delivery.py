"""Every way a good answer can be lost on its way."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import (
    ClientOSError,
    ClientPayloadError,
    ClientResponseError,
    ClientSession,
    ClientTimeout,
)

Start = Callable[..., Awaitable[ClientSession]]


async def test_no_answer_at_all(start: Start) -> None:
    """Covers R17: only the client's own deadline ends it, and the twin goes on."""
    twin = await start(total=10, faults=[{"on": {"request": 1}, "do": {"kind": "hang"}}])
    with pytest.raises(TimeoutError):
        await twin.get("/events", timeout=ClientTimeout(total=0.2))
    async with twin.get("/events") as answer:
        assert answer.status == 200


async def test_a_slow_drip(start: Start) -> None:
    """Covers R17: whole in the end, for whoever waits."""
    rules = [{"do": {"kind": "drip", "bytes": 100, "every_ms": 2}}]
    twin = await start(total=2, faults=rules)
    began = asyncio.get_running_loop().time()
    async with twin.get("/events") as answer:
        body = await answer.json()
        size = int(answer.headers["Content-Length"])
    assert len(body["data"]) == 2
    assert asyncio.get_running_loop().time() - began >= size // 100 * 0.002


async def test_a_reset_before_the_status_line(start: Start) -> None:
    """Covers R8."""
    twin = await start(total=10, faults=[{"do": {"kind": "reset"}}])
    with pytest.raises(ClientOSError) as caught:
        await twin.get("/events")
    assert caught.value.errno == errno.ECONNRESET


async def test_a_reset_in_mid_body(start: Start) -> None:
    """Covers R10."""
    twin = await start(total=10, faults=[{"do": {"kind": "reset", "keep": 0.5}}])
    answer = await twin.get("/events")
    assert answer.status == 200
    with pytest.raises(ClientPayloadError):
        await answer.read()


@pytest.mark.parametrize("how", ["close", "chunk"])
async def test_a_body_that_breaks_off(start: Start, how: str) -> None:
    """Covers R10: HTTP itself tells that something is missing."""
    twin = await start(total=10, faults=[{"do": {"kind": "truncate", "how": how}}])
    # aiohttp calls a bad chunk that comes together with the headers a response error.
    with pytest.raises((ClientPayloadError, ClientResponseError)):
        await (await twin.get("/events")).read()


async def test_a_body_that_is_cut_without_a_sign(start: Start) -> None:
    """Covers R10: only the JSON tells, and the connection goes on."""
    rules = [{"on": {"request": 1}, "do": {"kind": "truncate", "keep": 0.9, "how": "short"}}]
    twin = await start(total=10, faults=rules)
    async with twin.get("/events") as answer, twin.get("/events") as whole:
        cut = await answer.read()
        assert (await whole.read()).startswith(cut[:1_000])
        assert (
            len(cut) == int(answer.headers["Content-Length"]) < int(whole.headers["Content-Length"])
        )
