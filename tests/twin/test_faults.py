"""Every way a page can be wrong, and the answers that come in place of one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import ClientSession

from headrace.twin import Events, event_id

Start = Callable[..., Awaitable[ClientSession]]
Page = dict[str, Any]


def always(kind: str, **details: object) -> list[dict[str, object]]:
    return [{"do": {"kind": kind, **details}}]


def once(kind: str, **details: object) -> list[dict[str, object]]:
    return [{"on": {"times": 1}, "do": {"kind": kind, **details}}]


async def fetch(twin: ClientSession, **query: str | int) -> Page:
    async with twin.get("/events", params=query) as answer:
        page: Page = await answer.json()
        return page


def ids(page: Page) -> list[str]:
    return [event["id"] for event in page["data"]]


@pytest.mark.parametrize("status", [401, 404, 410, 429, 500, 502, 503])
async def test_any_status_with_any_headers(start: Start, status: int) -> None:
    """Covers R6 R8 R18."""
    rules = always(
        "answer", status=status, headers={"Retry-After": "Fri, 01 Jan 2027 00:00:00 GMT"}
    )
    twin = await start(total=10, faults=rules)
    async with twin.get("/events") as answer:
        assert answer.status == status
        assert answer.headers["Retry-After"] == "Fri, 01 Jan 2027 00:00:00 GMT"
        assert set(await answer.json()) == {"error", "code"}


async def test_a_304_nobody_asked_for(start: Start) -> None:
    """Covers H7, for any source."""
    twin = await start(total=10, faults=once("answer", status=304))
    async with twin.get("/events") as answer:
        assert (answer.status, await answer.read()) == (304, b"")
    assert len(ids(await fetch(twin))) == 10


@pytest.mark.parametrize("content", [None, [], {"error": "no"}, {"errors": [{}]}, "text"])
async def test_a_200_that_is_no_page(start: Start, content: object) -> None:
    """Covers R9."""
    twin = await start(total=10, faults=always("answer", json=content))
    async with twin.get("/events") as answer:
        assert answer.status == 200
        assert await answer.json() == content


async def test_a_login_page_with_200(start: Start) -> None:
    """Covers R9."""
    twin = await start(total=10, faults=always("answer", text="<html>Sign in</html>"))
    async with twin.get("/events") as answer:
        assert (answer.status, answer.content_type) == (200, "text/html")
        assert await answer.text() == "<html>Sign in</html>"


async def test_a_late_answer(start: Start) -> None:
    twin = await start(total=10, faults=once("delay", ms=50))
    began = asyncio.get_running_loop().time()
    assert len(ids(await fetch(twin))) == 10
    assert asyncio.get_running_loop().time() - began >= 0.05


async def test_an_empty_page_with_a_cursor_to_the_rows_it_left_out(start: Start) -> None:
    """Covers R1."""
    twin = await start(total=10, faults=once("empty"))
    page = await fetch(twin)
    assert (ids(page), page["pagination"]["hasMore"], page["meta"]["returned"]) == ([], True, 0)
    rest = await fetch(twin, cursor=page["pagination"]["nextCursor"])
    assert ids(rest) == list(Events(1).ids(0, 10))


async def test_a_page_out_of_order(start: Start) -> None:
    """Covers R3."""
    twin = await start(total=100, faults=always("shuffle"))
    shuffled, again = ids(await fetch(twin)), ids(await fetch(twin))
    in_order = list(Events(1).ids(0, 100))
    assert shuffled == again != in_order
    assert sorted(shuffled) == sorted(in_order)


async def test_rows_that_come_twice_in_a_page(start: Start) -> None:
    """Covers R3."""
    page = await fetch(await start(total=2, faults=always("repeat")))
    one, two = Events(1).ids(0, 2)
    assert ids(page) == [one, one, two, two]
    assert page["meta"]["returned"] == 4


async def test_a_page_that_comes_twice(start: Start) -> None:
    """Covers R3: its cursor differs, so that only its rows tell."""
    twin = await start(total=10, faults=once("repeat", what="page"))
    first = await fetch(twin, limit=10)
    again = await fetch(twin, limit=10, cursor=first["pagination"]["nextCursor"])
    assert ids(first) == ids(again)
    assert again["pagination"]["hasMore"] is False


async def test_rows_whose_schema_has_drifted(start: Start) -> None:
    """Covers R13 R14: a type changed, a field new, the id gone; the other rows untouched."""
    rules = always("drift", set={"name": 17, "extra": {"a": [1]}}, drop=["id"], every=4)
    rows = (await fetch(await start(total=10, faults=rules)))["data"]
    for index, row in enumerate(rows):
        whole = json.loads(next(Events(1).rows(index, index + 1)))
        if index % 4 == 0:
            whole |= {"name": 17, "extra": {"a": [1]}}
            del whole["id"]
        assert row == whole


@pytest.mark.parametrize(("what", "sign"), [("nul", "\0"), ("surrogate", "\ud83d")])
async def test_strings_that_postgresql_refuses(start: Start, what: str, sign: str) -> None:
    """Covers R12, in values and in keys."""
    rules = [
        *always("escape", what=what, every=2),
        *always("escape", what=what, where="key", every=3),
    ]
    rows = (await fetch(await start(total=4, faults=rules)))["data"]
    assert [row["name"].startswith(sign) for row in rows] == [True, False, True, False]
    in_key = [any(name.startswith(sign) for name in row["properties"]) for row in rows]
    assert in_key == [True, False, False, True]


@pytest.mark.parametrize("back", [1, 2])
async def test_a_cursor_that_leads_back(start: Start, back: int) -> None:
    """Covers R2: the same cursor at once, or every second page."""
    rules = [{"on": {"request": 4}, "do": {"kind": "loop", "back": back}}]
    twin = await start(total=100, faults=rules)
    cursors = [""]
    for _ in range(4):
        page = await fetch(twin, limit=10, cursor=cursors[-1])
        cursors.append(page["pagination"]["nextCursor"])
    assert cursors[4] == cursors[4 - back]
    assert len(set(cursors)) == 4


@pytest.mark.parametrize("text", ["", "left over"])
async def test_a_last_page_with_a_cursor(start: Start, text: str) -> None:
    """Covers R1: only hasMore says that it is the last."""
    twin = await start(total=10, faults=always("end_cursor", cursor=text))
    first = await fetch(twin, limit=5)
    last = await fetch(twin, limit=5, cursor=first["pagination"]["nextCursor"])
    assert last["pagination"]["hasMore"] is False
    assert last["pagination"]["nextCursor"] == text
    assert ids(last)[-1] == event_id(1, 9)


async def test_faults_in_one_page_add_up(start: Start) -> None:
    twin = await start(total=10, faults=[*always("shuffle"), *always("repeat"), *always("drift")])
    assert len(ids(await fetch(twin))) == 20
