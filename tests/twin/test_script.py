"""Rules fire on the requests they name, and the ledger tells."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import ClientSession

Start = Callable[..., Awaitable[ClientSession]]


async def walk(twin: ClientSession, requests: int, limit: int = 10) -> list[int]:
    """The statuses of so many requests, each for the page after the last one that came."""
    statuses, cursor = [], ""
    for _ in range(requests):
        async with twin.get("/events", params={"limit": limit, "cursor": cursor}) as answer:
            statuses.append(answer.status)
            if answer.status == 200:
                cursor = (await answer.json())["pagination"]["nextCursor"]
    return statuses


async def stats(twin: ClientSession, **query: int) -> dict[str, Any]:
    async with twin.get("/admin/stats", params=query) as answer:
        content: dict[str, Any] = await answer.json()
        return content


@pytest.mark.parametrize(
    ("on", "failed"),
    [
        ({}, [1, 2, 3, 4, 5, 6]),
        ({"request": 2}, [2]),
        ({"request": [1, 4]}, [1, 4]),
        ({"every": 3}, [3, 6]),
        ({"every": 2, "times": 2}, [2, 4]),
        ({"offset": 25}, [3, 4, 5, 6]),
        ({"offset": 25, "times": 2}, [3, 4]),
        ({"probability": 0}, []),
        ({"probability": 1, "request": 5}, [5]),
    ],
)
async def test_a_rule_fires_on_the_requests_it_names(
    start: Start, on: dict[str, Any], failed: list[int]
) -> None:
    twin = await start(total=1_000, faults=[{"on": on, "do": {"kind": "answer", "status": 503}}])
    statuses = await walk(twin, 6)
    assert [number for number, status in enumerate(statuses, 1) if status == 503] == failed


async def test_chance_repeats_itself_with_the_seed(start: Start) -> None:
    rules = [{"on": {"probability": 0.3}, "do": {"kind": "answer", "status": 500}}]
    first = await walk(await start(total=2_000, faults=rules), 100)
    again = await walk(await start(total=2_000, faults=rules), 100)
    other = await walk(await start(total=2_000, faults=rules, seed=2), 100)
    assert first == again != other
    assert 15 <= first.count(500) <= 45


async def test_the_ledger_tells_every_request_and_how_far_it_was(start: Start) -> None:
    """What crash tests stand on: which pages were fetched again, by their offsets."""
    rules = [{"on": {"request": 2}, "do": {"kind": "answer", "status": 503}}]
    twin = await start(total=1_000, faults=rules)
    await walk(twin, 3)
    told = await stats(twin)
    assert (told["requests"], told["rows"]) == (3, 20)
    assert told["byStatus"] == {"200": 2, "503": 1}
    assert told["byFault"] == {"answer": 1}
    assert [(entry["offset"], entry["rows"], entry["status"]) for entry in told["log"]] == [
        (0, 10, 200),
        (10, 0, 503),
        (10, 10, 200),
    ]
    assert [entry["request"] for entry in (await stats(twin, log=2))["log"]] == [2, 3]


async def test_rules_set_while_it_runs_replace_the_others_and_count_anew(start: Start) -> None:
    twin = await start(total=1_000, faults=[{"do": {"kind": "answer", "status": 500}}])
    assert await walk(twin, 2) == [500, 500]
    rules = [{"on": {"request": 2}, "do": {"kind": "answer", "status": 503}}]
    async with twin.post("/admin/faults", json=rules) as answer:
        assert await answer.json() == {"rules": 1}
    assert await walk(twin, 3) == [200, 503, 200]


@pytest.mark.parametrize(
    "rules",
    [
        {},
        [{"do": {"kind": "explode"}}],
        [{"do": {"kind": "reset", "kept": 1}}],
        [{"do": {"kind": "reset"}, "on": {"request": 1, "evry": 2}}],
        [{"do": {"kind": "truncate", "keep": 2}}],
    ],
)
async def test_a_rule_that_means_nothing_is_refused_with_its_place(
    start: Start, rules: object
) -> None:
    twin = await start(total=10)
    async with twin.post("/admin/faults", json=rules) as answer:
        assert answer.status == 400
        assert "$" in (await answer.json())["error"] or rules == {}
    assert await walk(twin, 1) == [200]
