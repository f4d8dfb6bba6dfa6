"""Rules C10 and C11: which copy of an event is the newer one, and which says more."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from headrace.google.events import WHOLE, Events, gone, mark_of, read_events

if TYPE_CHECKING:
    from tests.google_calendar.desk import Desk

Open = Callable[..., Awaitable["Desk"]]
OWN: dict[str, Any] = {"calendars": ["primary"]}

_NOW = "2026-11-22T10:00:00.000Z"
_versions = st.tuples(
    st.integers(1, 4_000_000_000_000), st.integers(0, 10**9), st.integers(0, 10**19)
)


def told(version: tuple[int, int, int]) -> dict[str, Any]:
    """An event of this version, as Google writes it."""
    ms, sequence, etag = version
    when = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)
    text = when.isoformat(timespec="milliseconds" if ms % 1000 else "seconds")
    return {"updated": text.replace("+00:00", "Z"), "sequence": sequence, "etag": f'"{etag}"'}


@given(one=_versions, other=_versions)
def test_marks_sort_as_versions_do(one: Any, other: Any) -> None:
    """Covers C11: by (updated, sequence, etag), whatever the number of their digits."""
    marks = [mark_of(told(version), _NOW, WHOLE).encode() for version in (one, other)]
    assert (marks[0] < marks[1]) == (one < other)


async def test_an_older_copy_never_overwrites_a_newer_one(open_desk: Open) -> None:
    """Covers C11, R3: on a page of its own that comes late, or beside the newer one, in any
    order, each of them twice."""
    desk = await open_desk(OWN, events=20)
    await desk.in_step()
    name = desk.book.nth(4)
    old = dict(desk.book.need(name).body)
    desk.book.shift(name, 30)
    await desk.in_step()
    late = {"kind": "calendar#events", "updated": _NOW, "items": [old], "nextSyncToken": "late"}
    answer = {"kind": "answer", "status": 200, "json": late}
    desk.faults({"on": {"call": "events.list"}, "do": answer})
    await desk.in_step()
    assert await desk.versions(name) == 2
    desk.calendars.expire()
    new = desk.book.need(name).body
    rest = [one.body for one in desk.book if desk.book.lives(one) and one.id != name]
    both = {**late, "items": [new, old, new, old, *rest]}
    desk.faults({"on": {"call": "events.list"}, "do": {**answer, "json": both}})
    await desk.in_step()


async def test_pages_in_any_order(open_desk: Open) -> None:
    """Covers C11, R3: rows shuffled and doubled."""
    desk = await open_desk({"page_size": 7}, events=40)
    faults = [{"do": {"kind": "shuffle"}}, {"do": {"kind": "repeat"}}]
    desk.faults(*[{**one, "on": {"call": "events.list"}} for one in faults])
    await desk.in_step()
    for nth in range(12):
        desk.book.shift(desk.book.nth(nth), 30)
        desk.book.patch(desk.book.nth(nth), {"summary": "Once more"})
    await desk.in_step()


def page(*events: dict[str, Any], **more: Any) -> Events:
    """A page as it is read."""
    body = {"items": list(events), "updated": _NOW, **more}
    return msgspec.json.decode(json.dumps(body), type=Events)


def test_what_is_gone_comes_after_everything_of_its_time() -> None:
    """Covers C7, C11: a cancelled event need not say when; what comes later is newer again."""
    at = {"id": "a", "updated": _NOW, "etag": '"9"'}
    cancelled = {"id": "a", "status": "cancelled", "recurringEventId": "s"}
    listed = page(at, cancelled, {**at, "updated": "2026-11-22T10:00:00.001Z"})
    first, second, third = [one.record.mark or "" for one in read_events(listed)[0]]
    assert first < second < (gone("a", listed).mark or "") < third


def test_a_truncated_list_of_guests_says_less() -> None:
    """Covers C10: of the same version, one with guests left out is the older copy, and times
    only are less than that."""
    event = {"id": "a", "updated": _NOW}
    marks = [
        read_events(one)[0][0].record.mark or ""
        for one in (
            page(event, accessRole="freeBusyReader"),
            page({**event, "attendeesOmitted": True}),
            page(event),
        )
    ]
    assert marks == sorted(marks)
    assert len(set(marks)) == 3


async def test_guests_are_not_lost_from_a_truncated_list(open_desk: Open) -> None:
    """Covers C10: we never ask for fewer of them; where Google leaves some out all the same, those
    that are known stay as long as the event is the same, and the payload says what it is."""
    desk = await open_desk(OWN, events=20)
    await desk.in_step()
    name = next(one.id for one in desk.book if len(one.body.get("attendees", ())) == 30)
    shown = await desk.shown()
    assert len(shown[name]["attendees"]) == 30
    cut = {"attendees": [{"email": desk.own, "self": True}], "attendeesOmitted": True}
    desk.faults({"on": {"call": "events.list"}, "do": {"kind": "drift", "set": cut}})
    desk.calendars.expire()
    await desk.in_step()
    assert len((await desk.shown())[name]["attendees"]) == 30
    desk.book.patch(name, {"summary": "Another one"})
    await desk.in_step()
    assert (await desk.bodies())[desk.own][name]["attendeesOmitted"] is True
    assert not any("maxAttendees" in one for one in desk.queries())
