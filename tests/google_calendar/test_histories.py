"""Whatever happens to calendars, and whatever goes wrong meanwhile: all is as it is there.

`make histories` tries a thousand of them; the suite some.
"""

from __future__ import annotations

import asyncio
import os
from itertools import count
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.google_calendar.desk import Desk

from headrace.store.database import Database
from headrace.twin.google import Google, options_from
from headrace.twin.google.calendar_changes import CalendarChange
from headrace.twin.google.changes import change
from headrace.twin.message import Refused
from headrace.twin.server import listening

_HISTORIES = int(os.environ.get("HEADRACE_HISTORIES", "25"))
_numbers = count(1)

_nth = st.integers(0, 14)
_few = st.integers(0, 3)


def _do(*names: str, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({"do": st.sampled_from(names), **fields})


_changes = st.one_of(
    _do("insert", n=st.integers(1, 12)),
    _do("patch", nth=_nth, event=st.just({"summary": "x"})),
    _do("move", nth=_nth, minutes=st.sampled_from([30, -600])),
    _do("move", nth=_nth, to=st.sampled_from(["0", "1"])),
    _do("cancel", nth=_nth),
    _do("cancel_instance", "move_instance", nth=_nth, occurrence=_few),
    _do("add_calendar", events=st.integers(0, 8)),
    _do("delete_calendar", "unshare", "hide", "show"),
    _do("downgrade", role=st.sampled_from(["reader", "freeBusyReader"])),
    _do("expire_sync", "expire_all"),
)
_wrong = st.one_of(
    st.sampled_from([400, 403, 404, 410, 500]).map(lambda n: {"kind": "answer", "status": n}),
    st.sampled_from([{"kind": "shuffle"}, {"kind": "repeat"}, {"kind": "reset"}]),
)
_steps = st.one_of(
    st.tuples(st.just("change"), _few, _changes),
    st.tuples(st.just("during"), st.integers(1, 6), st.tuples(_few, _changes)),
    st.tuples(st.just("wrong"), st.integers(1, 6), _wrong),
    st.tuples(st.just("sync"), st.just(0), st.just(0)),
)


@settings(
    max_examples=_HISTORIES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    steps=st.lists(_steps, min_size=3, max_size=14),
    page=st.sampled_from([1, 3, 250]),
    sparse=st.booleans(),
)
def test_any_history(pool: Database, steps: list[Any], page: int, sparse: bool) -> None:
    """Covers C1, C3, C4, C5, C7, C11, C12: made, changed, moved, cancelled, cut off and expired,
    also between the pages of a walk: what is here is what is there."""
    asyncio.run(_history(pool, steps, page, sparse))


async def _history(pool: Database, steps: list[Any], page: int, sparse: bool) -> None:
    google = Google(options_from({"messages": 0, "events": 12, "sparse": sparse}))
    async with listening(google.handle, 0) as url:
        called = f"history {next(_numbers)}"
        desk = Desk(google, url, pool, [], called=called, page_size=page)
        for what, number, more in steps:
            match what:
                case "change":
                    _happens(desk, number, more)
                case "during":
                    at, one = more
                    made = _made(desk, at, one)
                    desk.during("events.list", number, made)
                case "wrong":
                    desk.faults({"on": {"call": "events.list", "request": number}, "do": more})
                case "sync":
                    await desk.sync()
        desk.faults()
        google.waiting._waiting.clear()
        # A walk that was broken off goes on, and the next one brings what came after its beginning.
        await desk.synced()
        before = await desk.live()
        await desk.synced()
        live = await desk.live()
        assert live == _followed(desk, before)
        assert set(await desk.shown()) == {name for events in live.values() for name in events}


def _happens(desk: Desk, at: int, one: dict[str, Any]) -> None:
    try:
        made = msgspec.convert(_made(desk, at, one), CalendarChange)
        change(desk.google.account(), made)
    except Refused:
        pass  # such an event or calendar there is not


def _made(desk: Desk, at: int, one: dict[str, Any]) -> dict[str, Any]:
    """The change, with calendars by their ids in place of numbers."""
    names = [entry.id for entry in desk.calendars if not entry.deleted]
    name = names[at % len(names)]
    if one["do"] == "expire_all":
        return {"do": "expire_sync"}
    if one["do"] in ("delete_calendar", "unshare", "hide", "downgrade"):
        name = names[1:][at % len(names[1:])] if names[1:] else "none"
    if "to" in one:
        one = {**one, "to": names[int(one["to"]) % len(names)]}
    return {**one, "calendar": name}


def _followed(desk: Desk, before: dict[str, Any]) -> dict[str, Any]:
    """The truth of what is followed: what its owner looks at, or is here already."""
    entries = {entry.id: entry for entry in desk.calendars}
    return {
        name: events
        for name, events in desk.truth().items()
        if not entries[name].hidden or entries[name].role == "owner" or name in before
    }
