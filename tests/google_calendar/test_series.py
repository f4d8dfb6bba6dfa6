"""Rules C6 to C8: series, their exceptions, and what is left of them when they go."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.google_calendar.desk import Desk

Open = Callable[..., Awaitable["Desk"]]

WEEKLY = {
    "summary": "Choir",
    "start": {"dateTime": "2026-03-23T19:00:00+01:00", "timeZone": "Europe/Berlin"},
    "end": {"dateTime": "2026-03-23T21:00:00+01:00", "timeZone": "Europe/Berlin"},
    "recurrence": ["RRULE:FREQ=WEEKLY;COUNT=10", "EXDATE:20260406T170000Z"],
}
OWN: dict[str, Any] = {"calendars": ["primary"]}


async def alone(open_desk: Open) -> tuple[Desk, str]:
    """A calendar with one series, which has been synced."""
    desk = await open_desk(OWN, events=0)
    series = desk.book.insert(WEEKLY)
    await desk.in_step()
    return desk, series


async def test_a_series_and_its_exceptions(open_desk: Open) -> None:
    """Covers C6, C7, A3.12: the series is one row, its rules verbatim; a moved and a cancelled
    occurrence are rows of their own, told apart by the original time and not by the uid."""
    desk, series = await alone(open_desk)
    moved = desk.book.move_instance(series, 1, 90)
    cancelled = desk.book.cancel_instance(series, 2)
    await desk.in_step()
    rows = await desk.shown()
    assert set(rows) == {series, moved, cancelled}
    assert rows[series]["recurrence"] == "RRULE:FREQ=WEEKLY;COUNT=10\nEXDATE:20260406T170000Z"
    assert rows[series]["recurrence_id"] is None
    assert rows[series]["occurred_at"] == datetime(2026, 3, 23, 18, tzinfo=UTC)
    # Summer time has begun: the same hour on the clock is another one in UTC.
    assert rows[moved]["recurrence_id"] == "20260330T170000Z"
    assert rows[moved]["occurred_at"] == datetime(2026, 3, 30, 18, 30, tzinfo=UTC)
    assert rows[moved]["uid"] == rows[series]["uid"]
    assert (rows[cancelled]["status"], rows[cancelled]["title"]) == ("cancelled", None)
    assert rows[cancelled]["occurred_at"] == datetime(2026, 4, 13, 17, tzinfo=UTC)


async def test_a_moved_occurrence_is_cancelled(open_desk: Open) -> None:
    """Covers C7, C11: Google need not say when; it is newer than all that was told before."""
    desk, series = await alone(open_desk)
    moved = desk.book.move_instance(series, 1, 90)
    await desk.in_step()
    desk.book.cancel(moved)
    await desk.in_step()
    assert (await desk.shown())[moved]["status"] == "cancelled"


async def test_exceptions_go_with_their_series(open_desk: Open) -> None:
    """Covers C7: also the one that had been cancelled before, of which Google says nothing."""
    desk, series = await alone(open_desk)
    desk.book.move_instance(series, 1, 90)
    desk.book.cancel_instance(series, 2)
    await desk.in_step()
    assert len((await desk.live())[desk.own]) == 3
    desk.book.cancel(series)
    await desk.in_step()
    assert await desk.live() == {}
    assert await desk.shown() == {}


async def test_exceptions_that_are_told_before_their_series_has_gone(open_desk: Open) -> None:
    """Covers C7, C12: on a page of their own before it, and with a new series between; whether
    their pages have been committed or not."""
    desk = await open_desk({**OWN, "page_size": 1}, events=0)
    old, other = desk.book.insert(WEEKLY), desk.book.insert(WEEKLY)
    await desk.in_step()
    desk.book.cancel_instance(old, 1)
    desk.book.cancel_instance(other, 1)
    new = desk.book.insert(WEEKLY)
    desk.book.cancel_instance(new, 3)
    desk.book.patch(new, {"summary": "Told after its exception"})
    desk.book.cancel(old)
    await desk.in_step()
    assert len((await desk.live())[desk.own]) == 4


async def test_a_series_that_was_cut_in_two(open_desk: Open) -> None:
    """Covers C7: the second half has an id that begins with the first one's, and stays."""
    desk, series = await alone(open_desk)
    half = desk.book.insert({**WEEKLY, "id": f"{series}_R20260511T170000"})
    exception = desk.book.cancel_instance(half, 1)
    await desk.in_step()
    desk.book.cancel(series)
    await desk.in_step()
    assert set((await desk.live())[desk.own]) == {half, exception}


async def test_the_least_that_google_tells_of_a_deletion(open_desk: Open) -> None:
    """Covers C7, C8: the id alone is a tombstone, known here or not; and no list is ever asked for
    in which a series is expanded, of which a deletion would tell a part only."""
    desk = await open_desk(OWN, events=12)
    known = desk.book.nth(0)
    await desk.in_step()
    never = desk.book.insert({**WEEKLY, "recurrence": ["RRULE:FREQ=DAILY;COUNT=50"]})
    drop = ["etag", "kind", "updated", "sequence"]
    desk.faults({"on": {"call": "events.list"}, "do": {"kind": "drift", "drop": drop}})
    desk.book.cancel(known)
    desk.book.cancel(never)
    await desk.synced()
    assert known not in (await desk.live())[desk.own]
    assert await desk.versions(never) == 0
    assert {one["singleEvents"] for one in desk.queries()} == {"false"}
    desk.faults()
    await desk.in_step()


async def test_an_event_that_moves_to_another_calendar(open_desk: Open) -> None:
    """Covers C6: the id is the same, the calendar is another one; so there it is, and here it is
    gone."""
    desk = await open_desk(events=5)
    await desk.in_step()
    name, team = desk.book.nth(0), desk.team()
    desk.ask(f"/admin/calendar/{desk.own}", [{"do": "move", "id": name, "to": team}])
    await desk.in_step()
    live = await desk.live()
    assert name in live[team]
    assert name not in live[desk.own]


async def test_an_event_without_an_id(open_desk: Open) -> None:
    """Covers R13: it is put aside, and the page goes on."""
    desk = await open_desk(OWN, events=10)
    drift = {"kind": "drift", "drop": ["id"], "every": 5}
    desk.faults({"on": {"call": "events.list"}, "do": drift})
    await desk.synced()
    letters = await desk.of_streams("reason", "dead_letters")
    assert {row["reason"] for row in letters} == {"This event has no id."}
    desk.faults()
    desk.calendars.expire()
    await desk.in_step()
