"""Rules C1 to C5 and C12: tokens, pages, and what becomes of both."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.google_calendar.desk import Desk

Open = Callable[..., Awaitable["Desk"]]

FORBIDDEN = {
    "iCalUID",
    "orderBy",
    "privateExtendedProperty",
    "sharedExtendedProperty",
    "q",
    "timeMin",
    "timeMax",
    "updatedMin",
}


def answers(status: int, *requests: int, **more: Any) -> dict[str, Any]:
    """A rule: these requests for events, counted from now, are answered with this status."""
    do = {"kind": "answer", "status": status, **more}
    return {"on": {"call": "events.list", "request": list(requests)}, "do": do}


async def test_sixty_eight_events(open_desk: Open) -> None:
    """Covers A3.50, A3.39, C1: all of them are there once, the payload as it was sent; a second
    sync asks what has changed, and nothing has."""
    desk = await open_desk(events=68)
    await desk.in_step()
    assert len((await desk.live())[desk.own]) >= 68
    before = len(desk.asked)
    await desk.in_step()
    assert all("syncToken" in one for one in desk.queries()[-4:])
    # Every calendar, the list of them twice, and whose they are.
    assert len(desk.asked) - before == 4 + 3
    assert {row["version"] for row in await desk.of_streams("version", "raw_events")} == {1}


async def test_two_thousand_events_by_the_default_pace(open_desk: Open) -> None:
    """Covers A1.8, A1.9: a run ends with its 2,000; a small sleep for every 25 of them keeps the
    requests apart; the next run goes on."""
    desk = await open_desk({"items_per_run": 2_000, "pause_ms": 1}, events=2_500)
    outcomes = await desk.sync()
    assert "capped" in {one.state for one in outcomes}
    [count] = await desk.rows("SELECT count(*) FROM headrace.raw_events WHERE tenant_id <> %s", "")
    assert 2_000 <= count["count"] <= 2_250
    await desk.in_step()


async def test_the_sync_token_is_kept_from_the_last_page_only(open_desk: Open) -> None:
    """Covers C1, G6: broken off on page 3 of 7, the walk has a page's token and none for sync."""
    desk = await open_desk({"page_size": 10}, events=68)
    desk.faults(
        {"on": {"call": "events.list", "request": 3}, "do": {"kind": "answer", "status": 400}}
    )
    outcomes = await desk.sync()
    assert {one.state for one in outcomes} == {"done", "human"}
    assert set((await desk.cursors())[desk.own]) == {"page"}
    desk.faults()
    await desk.in_step()
    assert set((await desk.cursors())[desk.own]) == {"sync"}


async def test_no_parameter_that_a_sync_token_forbids(open_desk: Open) -> None:
    """Covers C2: and all others are the same in every request of every walk."""
    desk = await open_desk({"page_size": 10}, events=30)
    await desk.synced()
    desk.book.shift(desk.book.nth(0), 30)
    await desk.synced()
    asked = desk.queries()
    assert any("syncToken" in one for one in asked)
    assert not FORBIDDEN & {name for one in asked for name in one}
    others = [{**one, "syncToken": "", "pageToken": ""} for one in asked]
    assert all(one == others[0] for one in others)


@pytest.mark.parametrize("page", [1, 2])
async def test_a_full_sync_when_tokens_have_expired(open_desk: Open, page: int) -> None:
    """Covers C3: at the first page or a later one; what was deleted meanwhile gets a tombstone,
    though nobody tells of it."""
    desk = await open_desk({"page_size": 5, "calendars": ["primary"]}, events=30)
    await desk.synced()
    deleted = desk.book.nth(3)
    desk.book.cancel(deleted)
    for nth in range(6, 18):
        desk.book.patch(desk.book.nth(nth), {"summary": "Changed"})
    if page == 1:
        desk.calendars.expire(desk.own)
    else:
        desk.faults(answers(410, page))
    assert deleted in (await desk.live())[desk.own]
    await desk.synced()
    live = (await desk.live())[desk.own]
    assert live == desk.truth()[desk.own]
    assert deleted not in live


async def test_a_full_sync_that_is_asked_for_again(open_desk: Open) -> None:
    """Covers C3, C12, R18: the resync expires as well, on its second page; nothing is swept before
    one has come to its end."""
    desk = await open_desk({"page_size": 5, "calendars": ["primary"]}, events=30)
    await desk.synced()
    before = (await desk.live())[desk.own]
    desk.book.cancel(desk.book.nth(3))
    desk.calendars.expire(desk.own)
    desk.faults(answers(410, 3), answers(400, 5))
    await desk.sync()
    assert (await desk.live())[desk.own] == before
    desk.faults()
    await desk.in_step()


async def test_short_and_empty_pages(open_desk: Open) -> None:
    """Covers C5, R1: the walk ends where there is no token for another page."""
    desk = await open_desk({"page_size": 4}, events=30, sparse=True)
    await desk.in_step()
    for nth in range(8):
        desk.book.shift(desk.book.nth(nth), 30)
    await desk.in_step()


async def test_a_walk_goes_on_with_its_token_or_begins_again(open_desk: Open) -> None:
    """Covers C12: broken off, it asks with the same parameters; where its page's token is refused,
    what has changed is listed again, by the sync token that the walk began with."""
    desk = await open_desk({"page_size": 5, "calendars": ["primary"]}, events=30)
    await desk.synced()
    for nth in range(15):
        desk.book.patch(desk.book.nth(nth), {"summary": "Changed"})
    desk.faults(answers(403, 3, json={"error": {}}))
    await desk.sync()
    assert set((await desk.cursors())[desk.own]) == {"page", "sync"}
    refused = {"error": {"code": 400, "message": "Invalid page token value."}}
    desk.faults(answers(400, 1, json=refused))
    before = len(desk.queries())
    await desk.synced()
    again, anew, *_ = desk.queries()[before:]
    assert {"pageToken", "syncToken"} <= set(again)
    assert "pageToken" not in anew
    assert anew["syncToken"] == again["syncToken"]
    assert await desk.live() == desk.truth()


async def test_another_page_size_begins_again(open_desk: Open) -> None:
    """Covers C2, C12: a sync token is bound to the parameters that it was given for."""
    desk = await open_desk({"page_size": 5}, events=12)
    await desk.synced()
    desk.reconfigure(page_size=7)
    desk.book.cancel(desk.book.nth(0))
    await desk.in_step()


async def test_what_happens_during_a_walk(open_desk: Open) -> None:
    """Covers C1, G1: made, changed and deleted between its pages; the next sync has it right."""
    desk = await open_desk({"page_size": 5, "calendars": ["primary"]}, events=30)
    single, series = [one.id for one in desk.book if not one.series][0:4:3]
    changes: list[dict[str, Any]] = [
        {"do": "insert", "n": 3},
        {"do": "cancel", "id": single},
        {"do": "cancel", "id": series},
        {"do": "patch", "nth": 20, "event": {"summary": "Changed"}},
    ]
    desk.during("events.list", 4, *changes)
    await desk.synced()
    await desk.in_step()
