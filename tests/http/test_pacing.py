"""Asking slowly before being told to."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from headrace.errors import Retry


async def test_least_delay_between_requests(net: Any) -> None:
    """Covers A2.7, A2.22, A2.29: RATE_LIMIT_DELAY_MS between the starts of two requests."""
    script = await net.serve(net.wire.ok())
    client = net.make(script.url, delay=0.2)

    for _ in range(4):
        await client.request("GET", "/events")

    assert net.ticking.slept == [pytest.approx(0.2)] * 3


async def test_a_slow_answer_uses_up_the_delay(net: Any) -> None:
    """Covers A2.29: the delay is a pace, not a pause after each answer."""
    script = await net.serve(net.wire.ok())
    client = net.make(script.url, delay=0.2)

    await client.request("GET", "/events")
    net.ticking.now += 1
    await client.request("GET", "/events")

    assert net.ticking.slept == []


async def test_requests_side_by_side_share_the_pace(net: Any) -> None:
    """Covers A2.29: five at once still start a delay apart."""
    script = await net.serve(net.wire.ok())
    client = net.make(script.url, delay=0.5)

    await asyncio.gather(*(client.request("GET", "/events") for _ in range(5)))

    assert net.ticking.now - 1_700_000_000 >= 2.0
    assert len(script.requests) == 5


async def test_one_request_at_a_time(net: Any) -> None:
    """Covers H5: after a refusal none is under way that could meet the limit again."""
    script = await net.serve(net.wire.status(403, b"{}", Retry_After="90"))
    client = net.make(script.url, at_once=1)

    refused = await asyncio.gather(
        *(client.request("GET", "/events") for _ in range(5)), return_exceptions=True
    )

    assert [type(one) for one in refused] == [Retry] * 5
    assert len(script.requests) == 1


async def test_a_delay_longer_than_the_longest_wait_is_kept(net: Any) -> None:
    """Covers A2.29: an operator may ask for ten seconds."""
    script = await net.serve(net.wire.ok())
    client = net.make(script.url, delay=10.0, max_wait=5.0)

    await client.request("GET", "/events")
    await client.request("GET", "/events")

    assert net.ticking.slept == [pytest.approx(10.0)]


async def test_when_none_remain_the_reset_is_awaited(net: Any) -> None:
    """Covers A2.29, A2.31: no request is spent on a refusal that is sure to come."""
    script = await net.serve(
        net.wire.ok(X_RateLimit_Remaining="0", X_RateLimit_Reset="3"), net.wire.ok()
    )
    client = net.make(script.url)

    await client.request("GET", "/events")
    await client.request("GET", "/events")

    assert net.ticking.slept == [pytest.approx(3.0)]


async def test_a_long_way_to_the_reset_parks_the_job(net: Any) -> None:
    """Covers A2.29, R6: nothing is sent, and the job knows when to come back."""
    script = await net.serve(
        net.wire.ok(X_RateLimit_Remaining="0", X_RateLimit_Reset="58"), net.wire.ok()
    )
    client = net.make(script.url)

    await client.request("GET", "/events")
    with pytest.raises(Retry) as caught:
        await client.request("GET", "/events")

    assert caught.value.after == pytest.approx(58)
    assert len(script.requests) == 1
    net.ticking.now += 58
    await client.request("GET", "/events")
    assert len(script.requests) == 2


async def test_a_limit_that_was_hit_holds_for_everybody(net: Any) -> None:
    """Covers A2.30, A2.32: the next request does not run into the same refusal."""
    script = await net.serve(net.wire.status(429, Retry_After="60"), net.wire.ok())
    client = net.make(script.url)

    for _ in range(2):
        with pytest.raises(Retry) as caught:
            await client.request("GET", "/events")
        assert caught.value.after == pytest.approx(60)

    assert len(script.requests) == 1
