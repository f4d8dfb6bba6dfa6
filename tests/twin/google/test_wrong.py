"""Fault rules that name a method, and what the routes behind the scenes refuse."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from tests.twin.google.visitor import EVENTS, GMAIL, Visitor

from headrace.errors import BadInput
from headrace.twin.google import Google, options_from

Start = Callable[..., Awaitable[Visitor]]
PROFILE, MESSAGES = f"{GMAIL}/profile", f"{GMAIL}/messages"


def rule(call: str | list[str], kind: str, on: dict[str, Any], **details: Any) -> dict[str, Any]:
    return {"on": {"call": call, **on}, "do": {"kind": kind, **details}}


async def test_a_rule_counts_the_calls_of_its_method_alone(start: Start) -> None:
    rules = [rule("messages.list", "answer", {"request": 2}, status=503)]
    visitor = await start(faults=rules)
    statuses = [(PROFILE, 200), (MESSAGES, 200), (PROFILE, 200), (MESSAGES, 503), (MESSAGES, 200)]
    for path, status in statuses:
        await visitor.get(path, status=status)


async def test_a_rule_may_name_several_methods(start: Start) -> None:
    visitor = await start()
    rules = [rule(["getProfile", "events.list"], "answer", {"every": 2}, status=500)]
    await visitor.post("/admin/faults", rules)
    for path, status in [(PROFILE, 200), (MESSAGES, 200), (EVENTS, 500), (PROFILE, 200)]:
        await visitor.get(path, status=status)
    told = await visitor.stats()
    assert (told["byFault"], told["byStatus"]["500"]) == ({"answer": 1}, 1)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 429, 500, 503])
async def test_a_status_comes_with_the_body_that_google_gives_it(start: Start, status: int) -> None:
    """Covers G10: each of these answers can be scripted, with any headers."""
    visitor = await start()
    wrong = rule("getProfile", "answer", {}, status=status, headers={"Retry-After": "7"})
    await visitor.post("/admin/faults", [wrong])
    await visitor.get(PROFILE, status=status)
    async with visitor.client.get(PROFILE) as answer:
        assert answer.headers["Retry-After"] == "7"


async def test_an_answer_is_lost_cut_or_late(start: Start) -> None:
    rules = [
        rule("getProfile", "reset", {"request": [1, 2]}),  # aiohttp itself asks once more
        rule("getProfile", "truncate", {"request": 3}),
        rule("getProfile", "delay", {"request": 4}, ms=50),
    ]
    visitor = await start(faults=rules)
    for _ in range(2):
        with pytest.raises(aiohttp.ClientError):
            await visitor.get(PROFILE)
    began = asyncio.get_running_loop().time()
    await visitor.get(PROFILE)
    assert asyncio.get_running_loop().time() - began >= 0.05
    assert (await visitor.stats())["byStatus"] == {"0": 2, "200": 2}


async def test_items_come_twice_out_of_order_or_without_their_id(start: Start) -> None:
    """Covers R3 R13, the server's side of it."""
    visitor = await start(messages=20)
    right = [one["id"] for one in (await visitor.get(MESSAGES))["messages"]]
    await visitor.post("/admin/faults", [{"do": {"kind": "shuffle"}}, {"do": {"kind": "repeat"}}])
    wrong = [one["id"] for one in (await visitor.get(MESSAGES))["messages"]]
    assert wrong[::2] == wrong[1::2] != right
    assert sorted(wrong[::2]) == sorted(right)
    await visitor.post("/admin/faults", [{"do": {"kind": "drift", "drop": ["id"], "every": 2}}])
    page = await visitor.get(MESSAGES)
    assert ["id" in one for one in page["messages"][:4]] == [False, True, False, True]


@pytest.mark.parametrize(
    "wrong",
    [
        {"on": {"call": "messages.lst"}, "do": {"kind": "hang"}},
        {"on": {"offset": 3}, "do": {"kind": "hang"}},
        {"do": {"kind": "loop"}},
        {"do": {"kind": "repeat", "what": "page"}},
        {"do": {"kind": "empty"}},
    ],
)
async def test_a_rule_that_would_do_nothing_is_refused(start: Start, wrong: dict[str, Any]) -> None:
    await (await start()).post("/admin/faults", [wrong], status=400)
    with pytest.raises(BadInput):
        Google(options_from({"faults": [wrong]}))


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/admin/gmail/nobody@example.com", [], 404),
        ("/admin/gmail/ada@example.com", [{"do": "explode"}], 400),
        ("/admin/gmail/ada@example.com", [{"do": "insert"}], 400),
        ("/admin/gmail/ada@example.com", [{"do": "trash", "id": "0"}], 404),
        ("/admin/gmail/ada@example.com", [{"do": "label", "labels": ["Label_9"]}], 400),
        ("/admin/gmail/ada@example.com", [{"do": "deliver", "raw_base64": "a"}], 400),
        ("/admin/calendar/ada@example.com", [{"do": "cancel", "id": "none"}], 404),
        ("/admin/calendar/ada@example.com", [{"do": "hide", "calendar": "none"}], 404),
        ("/admin/calendar/ada@example.com", [{"do": "insert", "event": {"id": "x"}}], 400),
        ("/admin/during", {"at": {"call": "messages.lst"}, "changes": []}, 400),
        ("/admin/clock", {"advance": 5}, 400),
        ("/admin/nothing", {}, 404),
        ("/admin/device", {"user_code": "none"}, 404),
    ],
)
async def test_what_makes_no_sense_behind_the_scenes_is_refused_with_a_reason(
    start: Start, path: str, body: object, status: int
) -> None:
    await (await start()).post(path, body, status=status)


async def test_only_what_is_there_is_served(start: Start) -> None:
    visitor = await start()
    await visitor.get("/gmail/v1/users/me/nothing", status=404)
    await visitor.get("/token", status=405)
    async with visitor.client.post(PROFILE) as answer:
        assert answer.status == 405
    async with visitor.client.get("/health") as answer:
        assert await answer.json() == {"status": "ok"}
