"""Rule C4: calendars come and go, and none of them stops the others."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.google_calendar.desk import Desk

Open = Callable[..., Awaitable["Desk"]]


async def test_one_that_is_no_longer_shared_in_the_middle_of_a_walk(open_desk: Open) -> None:
    """Covers C4: one of five. The others are walked to their end; its events are gone, also those
    of its very first walk."""
    desk = await open_desk({"page_size": 5}, events=60)
    desk.calendars.add("Choir", events=20)
    team = desk.team()
    pages = -(-len(desk.truth()[desk.own]) // 5)  # of the account's own, which is walked first
    desk.during("events.list", pages + 2, {"do": "unshare", "calendar": team})
    await desk.sync()
    assert [len(one.query) for one in desk.asked if team in one.path] == [2, 3]
    assert team not in await desk.live()
    await desk.in_step()
    assert len(await desk.live()) == 4


async def test_one_that_is_deleted(open_desk: Open) -> None:
    """Covers C4: its events get tombstones, and the list of calendars says what has become of it.
    After that nobody asks for it any more."""
    desk = await open_desk(events=20)
    await desk.in_step()
    team = desk.team()
    desk.calendars.remove(team)
    await desk.in_step()
    await desk.in_step()
    before = len(desk.asked)
    await desk.in_step()
    assert not any(team in one.path for one in desk.asked[before:])
    assert team not in await desk.live()
    rows = await desk.rows(
        "SELECT payload FROM headrace.raw_events WHERE source_id = %s ORDER BY version", team
    )
    told = [json.loads(row["payload"]) for row in rows]
    assert [one.get("deleted", False) for one in told] == [False, True]


async def test_one_that_goes_with_an_older_list(open_desk: Open) -> None:
    """Covers C3, C4: the list's own token has expired; what is listed no more is forgotten once
    its events are."""
    desk = await open_desk(events=20)
    await desk.in_step()
    team = desk.team()
    desk.calendars.remove(team)
    desk.calendars.expire()
    del desk.calendars._entries[team]
    # The list is landed, and every calendar's own walk fails.
    desk.faults({"on": {"call": "events.list"}, "do": {"kind": "answer", "status": 400}})
    await desk.sync()
    assert team in await desk.live()
    desk.faults()
    await desk.in_step()
    assert team not in await desk.live()
    desk.calendars.expire()
    await desk.in_step()
    rows = await desk.rows(
        "SELECT content_hash FROM headrace.raw_events WHERE source_id = %s ORDER BY version", team
    )
    assert [bool(row["content_hash"]) for row in rows] == [True, False]


async def test_one_that_is_hidden_stays(open_desk: Open) -> None:
    """Covers C4: what is here of it stays, and stays up to date."""
    desk = await open_desk(events=20)
    await desk.in_step()
    team = desk.team()
    desk.calendars.hide(team)
    desk.calendars.fill(team, 2)
    await desk.in_step()


async def test_one_that_was_hidden_before_is_not_begun(open_desk: Open) -> None:
    """Covers C4: not looked at by its owner; brought back into sight, it is."""
    desk = await open_desk(events=20)
    team = desk.team()
    desk.calendars.hide(team)
    await desk.synced()
    assert await desk.live() == {k: v for k, v in desk.truth().items() if k != team}
    desk.calendars.hide(team, hidden=False)
    await desk.in_step()


async def test_one_of_which_only_times_may_be_seen_any_more(open_desk: Open) -> None:
    """Covers C4, C10: what had been told of its events stays; of those that change from then on
    there are times only; and all is told again to who may see it again."""
    desk = await open_desk(events=40)
    await desk.in_step()
    team = desk.team()
    before = (await desk.bodies())[team]
    desk.calendars.allow(team, "freeBusyReader")
    await desk.in_step()
    assert (await desk.bodies())[team] == before
    book = desk.calendars.need(team).book
    moved = book.nth(0)
    book.shift(moved, 30)
    await desk.in_step()
    now = (await desk.bodies())[team]
    assert "summary" not in now[moved]
    assert now[moved]["start"] != before[moved]["start"]
    assert {k: v for k, v in now.items() if k != moved} == {
        k: v for k, v in before.items() if k != moved
    }
    desk.calendars.allow(team, "reader")
    await desk.in_step()
    assert (await desk.bodies())[team][moved]["summary"] == before[moved]["summary"]


async def test_one_with_times_only_from_the_beginning(open_desk: Open) -> None:
    """Covers C4: free and busy is all that is told of a room."""
    desk = await open_desk(events=20)
    await desk.in_step()
    room = (await desk.bodies())["room-1@resource.calendar.google.com"]
    assert room
    assert not {"summary", "attendees"} & {name for event in room.values() for name in event}
    shown = await desk.shown()
    assert all(shown[name]["occurred_at"] is not None for name in room)


@pytest.mark.parametrize("status", [403, 404])
async def test_one_that_cannot_be_read_for_now(open_desk: Open, status: int) -> None:
    """Covers C4: listed and yet refused, in the middle of its first walk: what is here stays, and
    the next sync begins it again."""
    desk = await open_desk({"page_size": 5, "calendars": ["primary"]}, events=20)
    fault = {"kind": "answer", "status": status}
    desk.faults({"on": {"call": "events.list", "request": 3}, "do": fault})
    await desk.synced()
    assert len((await desk.live())[desk.own]) == 10
    desk.faults()
    await desk.in_step()


async def test_a_404_that_is_not_googles_deletes_nothing(open_desk: Open) -> None:
    """Covers C4, R9: whatever stands in between says that there is nothing here."""
    desk = await open_desk(events=20)
    await desk.in_step()
    page = {"kind": "answer", "status": 404, "text": "<h1>Not here</h1>"}
    desk.faults({"on": {"call": "events.list"}, "do": page})
    outcomes = await desk.sync()
    assert "human" in {one.state for one in outcomes}
    assert await desk.live() == desk.truth()


async def test_calendars_by_name(open_desk: Open) -> None:
    """By id, by name, or the account's own; a name that there is not is told."""
    desk = await open_desk({"calendars": ["Team", "primary"]}, events=20)
    await desk.synced()
    assert set(await desk.live()) == {desk.own, desk.team()}
    wrong: dict[str, Any] = {"calendars": ["Tame"]}
    other = await open_desk({"called": "other", **wrong}, events=3)
    with pytest.raises(Exception, match="no calendar 'Tame'"):
        await other.sync()


async def test_new_calendars_are_followed(open_desk: Open) -> None:
    desk = await open_desk(events=20)
    await desk.in_step()
    desk.calendars.add("Choir", events=5)
    await desk.in_step()
    assert len(await desk.live()) == 5
