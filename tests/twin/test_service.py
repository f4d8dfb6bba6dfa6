"""What the twin answers besides events."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import ClientSession

from headrace.twin import Events

Start = Callable[..., Awaitable[ClientSession]]


async def get(twin: ClientSession, path: str) -> Any:
    async with twin.get(path) as answer:
        return await answer.json()


async def test_it_says_that_it_is_well(start: Start) -> None:
    assert await get(await start(), "/health") == {"status": "ok"}


async def test_the_truth_is_what_a_complete_copy_comes_to(start: Start) -> None:
    twin = await start(total=1_000, seed=4)
    rows, ids = list(Events(4).rows(0, 1_000)), list(Events(4).ids(0, 1_000))
    assert await get(twin, "/truth") == {
        "from": 0,
        "to": 1_000,
        "count": 1_000,
        "idsSha256": hashlib.sha256("".join(f"{name}\n" for name in ids).encode()).hexdigest(),
        "payloadsSha256": hashlib.sha256(b"".join(row + b"\n" for row in rows)).hexdigest(),
    }
    part = await get(twin, "/truth?from=990&to=5000")
    assert part == Events(4).truth(990, 1_000)


async def test_a_revision_edits_what_is_served_from_then_on(start: Start) -> None:
    """For ruling X9: the same id with new content is a new version."""
    twin = await start(total=100, edits=0.2)
    before = (await get(twin, "/events"))["data"]
    async with twin.post("/admin/revision", json={"revision": 1}) as answer:
        assert await answer.json() == {"revision": 1}
    after = (await get(twin, "/events"))["data"]
    assert [event["id"] for event in before] == [event["id"] for event in after]
    assert 0 < sum(old != new for old, new in zip(before, after, strict=True)) < 50
    assert await get(twin, "/truth") == Events(1, edits=0.2, revision=1).truth(0, 100)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("POST", "/events", 405),
        ("GET", "/admin/faults", 405),
        ("GET", "/truth?from=x", 400),
        ("POST", "/admin/revision", 400),
    ],
)
async def test_what_makes_no_sense_is_refused_with_a_reason(
    start: Start, method: str, path: str, status: int
) -> None:
    twin = await start(total=10)
    async with twin.request(method, path) as answer:
        assert answer.status == status
        assert set(await answer.json()) == {"error", "code"}
