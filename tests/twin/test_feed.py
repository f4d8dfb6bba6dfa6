"""The feed answers as the DataSync API was seen to answer."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import ClientSession

from headrace.twin import Events, event_id
from headrace.twin.timeline import occurred_ms

Start = Callable[..., Awaitable[ClientSession]]


async def fetch(twin: ClientSession, path: str = "/events", **query: str | int) -> dict[str, Any]:
    async with twin.get(path, params=query) as answer:
        assert answer.status == 200
        page: dict[str, Any] = await answer.json()
        return page


async def refusal(twin: ClientSession, **query: str | int) -> tuple[int, str]:
    async with twin.get("/events", params=query) as answer:
        return answer.status, (await answer.json()).get("code", "")


async def test_a_page_has_the_observed_envelope(start: Start) -> None:
    """Covers A2.23 A2.25."""
    twin = await start(total=250, seed=5)
    page = await fetch(twin, limit=100)
    assert list(page) == ["data", "pagination", "meta"]
    assert [event["id"] for event in page["data"]] == list(Events(5).ids(0, 100))
    cursor = page["pagination"].pop("nextCursor")
    assert page["pagination"] == {"limit": 100, "hasMore": True, "cursorExpiresIn": 120}
    assert page["meta"] == {"total": 250, "returned": 100, "requestId": "req_00000001"}
    assert isinstance(json.loads(base64.urlsafe_b64decode(cursor)), dict)


async def test_the_documented_envelope_and_path_can_be_served_instead(start: Start) -> None:
    """Covers A2.23 A2.24."""
    twin = await start(total=3, envelope="documented", paths="documented")
    page = await fetch(twin, "/api/v1/events", limit=2)
    assert list(page) == ["data", "hasMore", "nextCursor"]
    async with twin.get("/events") as answer:
        assert answer.status == 404


async def test_both_paths_can_be_served(start: Start) -> None:
    """Covers A2.24."""
    twin = await start(total=3, paths="both")
    assert (await fetch(twin, "/events"))["data"] == (await fetch(twin, "/api/v1/events"))["data"]


@pytest.mark.parametrize("limit", [7, 100, 330])
async def test_a_walk_ends_with_every_event_once(start: Start, limit: int) -> None:
    """Covers A2.26: the last page says so, and has no cursor."""
    twin = await start(total=1_001)
    ids, cursor = [], ""
    while cursor is not None:
        page = await fetch(twin, limit=limit, cursor=cursor)
        ids += [event["id"] for event in page["data"]]
        cursor = page["pagination"]["nextCursor"]
        assert page["pagination"]["hasMore"] is (cursor is not None)
    assert ids == [event_id(1, index) for index in range(1_001)]


async def test_rows_are_served_byte_for_byte(start: Start) -> None:
    twin = await start(total=10, seed=9)
    async with twin.get("/events") as answer:
        assert b",".join(Events(9).rows(0, 10)) in await answer.read()


async def test_an_empty_source_has_one_empty_page(start: Start) -> None:
    page = await fetch(await start(total=0))
    assert page["data"] == []
    assert page["pagination"]["hasMore"] is False


async def test_the_limit_is_100_unless_given_and_silently_at_most_5000(start: Start) -> None:
    twin = await start(total=6_000)
    assert (await fetch(twin))["meta"]["returned"] == 100
    page = await fetch(twin, limit=100_000)
    assert (page["meta"]["returned"], page["pagination"]["limit"]) == (5_000, 5_000)


@pytest.mark.parametrize("query", [{"limit": "0"}, {"limit": "x"}, {"since": "yesterday"}])
async def test_a_parameter_that_means_nothing_is_refused(
    start: Start, query: dict[str, str]
) -> None:
    assert await refusal(await start(total=10), **query) == (400, "INVALID_PARAMETER")


async def test_a_slice_of_time_is_a_walk_of_its_own(start: Start) -> None:
    """Covers A2.42: slices side by side hold every event once."""
    twin = await start(total=500)
    cut = occurred_ms(203)
    early = await fetch(twin, until=cut, limit=500)
    late = await fetch(twin, since=cut, limit=100)
    rest = await fetch(twin, cursor=late["pagination"]["nextCursor"], limit=500)
    assert (early["meta"]["total"], late["meta"]["total"]) == (203, 297)
    ids = [event["id"] for page in (early, late, rest) for event in page["data"]]
    assert ids == list(Events(1).ids(0, 500))


async def test_a_slice_may_be_given_in_iso_8601_of_any_zone(start: Start) -> None:
    twin = await start(total=500)
    page = await fetch(twin, since="2025-01-01T02:05:00+02:00", until="2025-01-01T00:10:00Z")
    assert page["data"][0]["id"] == event_id(1, 100)
    assert page["meta"]["total"] == 100


async def test_an_expired_cursor_is_refused(start: Start) -> None:
    twin = await start(total=10, cursor_ttl_s=0.01)
    cursor = (await fetch(twin, limit=5))["pagination"]["nextCursor"]
    async with asyncio.timeout(10):
        while (answer := await refusal(twin, cursor=cursor))[0] == 200:
            pass
    assert answer == (400, "CURSOR_EXPIRED")


async def test_a_forged_cursor_is_refused(start: Start) -> None:
    twin = await start(total=1_000)
    cursor = (await fetch(twin, limit=5))["pagination"]["nextCursor"]
    content = json.loads(base64.urlsafe_b64decode(cursor))
    content["walk"]["at"] = 500
    forged = base64.urlsafe_b64encode(json.dumps(content).encode()).decode()
    for wrong in (forged, cursor[:-4], "not a cursor", "%00"):
        assert await refusal(twin, cursor=wrong) == (400, "CURSOR_EXPIRED")


async def test_a_cursor_outlives_a_restart_but_not_another_seed(start: Start) -> None:
    first = await start(total=10, seed=1)
    cursor = (await fetch(first, limit=5))["pagination"]["nextCursor"]
    again = await start(total=10, seed=1)
    assert (await fetch(again, cursor=cursor))["data"][0]["id"] == event_id(1, 5)
    assert await refusal(await start(total=10, seed=2), cursor=cursor) == (400, "CURSOR_EXPIRED")


async def test_without_an_expiry_a_page_always_has_the_same_cursor(start: Start) -> None:
    twin = await start(total=10, cursor_ttl_s=0)
    first, again = await fetch(twin, limit=5), await fetch(twin, limit=5)
    assert first["pagination"] == again["pagination"]
    assert first["pagination"]["cursorExpiresIn"] is None


async def test_a_key_is_needed_where_one_is_set(start: Start) -> None:
    twin = await start(total=10, api_key="sesame")
    assert await refusal(twin) == (401, "UNAUTHORIZED")
    async with twin.get("/events", headers={"X-API-Key": "wrong"}) as answer:
        assert answer.status == 401
    async with twin.get("/events", headers={"X-API-Key": "sesame"}) as answer:
        assert answer.status == 200
    await fetch(twin, "/health")


async def test_latency_holds_every_page_back(start: Start) -> None:
    twin = await start(total=10, latency_ms=50)
    began = asyncio.get_running_loop().time()
    await fetch(twin)
    assert asyncio.get_running_loop().time() - began >= 0.05
