"""The request limit of the original, as its headers tell it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from aiohttp import ClientSession

from headrace.twin.limits import RequestLimit
from headrace.twin.message import Refused

Start = Callable[..., Awaitable[ClientSession]]


async def test_answers_tell_what_is_left_and_how_many_seconds_until_more(start: Start) -> None:
    """Covers A2.31: here Reset is in seconds remaining, not an instant."""
    twin = await start(total=10, rate_limit="10/60")
    async with twin.get("/events") as answer:
        assert answer.headers["X-RateLimit-Limit"] == "10"
        assert answer.headers["X-RateLimit-Remaining"] == "9"
        assert 55 <= int(answer.headers["X-RateLimit-Reset"]) <= 60


async def test_one_request_too_many_is_told_when_to_come_back(start: Start) -> None:
    """Covers A2.30 A2.33."""
    twin = await start(total=10, rate_limit="2/60")
    for _ in range(2):
        async with twin.get("/events") as answer:
            assert answer.status == 200
    async with twin.get("/events") as answer:
        assert answer.status == 429
        assert answer.headers["Retry-After"] == answer.headers["X-RateLimit-Reset"]
        assert answer.headers["X-RateLimit-Remaining"] == "0"
        body = await answer.json()
    reset_s = int(answer.headers["Retry-After"])
    assert body["code"] == "RATE_LIMIT_EXCEEDED"
    assert body["rateLimit"] == {"limit": 2, "remaining": 0, "reset": reset_s}


async def test_a_refused_cursor_counts_as_a_request(start: Start) -> None:
    twin = await start(total=10, rate_limit="5/60")
    async with twin.get("/events", params={"cursor": "no"}) as answer:
        assert answer.status == 400
        assert answer.headers["X-RateLimit-Remaining"] == "4"


async def test_there_is_no_limit_unless_asked_for(start: Start) -> None:
    twin = await start(total=10)
    async with twin.get("/events") as answer:
        assert "X-RateLimit-Limit" not in answer.headers


def test_a_window_opens_with_a_request_and_refuses_until_it_closes() -> None:
    now_s = 1_000.0
    limit = RequestLimit(2, 10, now=lambda: now_s)
    now_s = 1_500.0
    assert limit.take()["X-RateLimit-Reset"] == "10"
    now_s = 1_509.5
    assert limit.take()["X-RateLimit-Reset"] == "1"
    with pytest.raises(Refused):
        limit.take()
    now_s = 1_510.0
    assert limit.take()["X-RateLimit-Remaining"] == "1"
