"""Calendars tell the truth: full and incremental walks, whatever happens and whenever."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.twin.google.direct import Direct
from tests.twin.google.visitor import CALENDAR, EVENTS, Json, Visitor

from headrace.twin.google.calendars import Calendars
from headrace.twin.message import Refused

Start = Callable[..., Awaitable[Visitor]]
LIST = f"{CALENDAR}/users/me/calendarList"
CHANGES = "/admin/calendar/ada@example.com"
ACTS = ("insert", "series", "patch", "shift", "cancel", "cancel_instance", "move_instance")
STEPS = st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 40)), max_size=12)
SERIES = {
    "summary": "Stand-up",
    "start": {"dateTime": "2026-03-23T09:00:00+01:00", "timeZone": "Europe/Berlin"},
    "end": {"dateTime": "2026-03-23T09:15:00+01:00", "timeZone": "Europe/Berlin"},
    "recurrence": ["RRULE:FREQ=WEEKLY;COUNT=3"],
}
Copy = dict[str, Json]


def act(calendars: Calendars, what: str, which: int) -> None:
    """One of the things that can happen in the primary calendar."""
    book = calendars.need().book
    live = [event for event in book if not event.is_cancelled]
    series = [event.id for event in live if event.repeats]
    name = live[which % len(live)].id if live else ""
    try:
        match what:
            case "insert":
                calendars.fill("primary", 1)
            case "series":
                book.insert(SERIES)
            case "patch" if name:
                book.patch(name, {"summary": f"Changed {which}"})
            case "shift" if name:
                book.shift(name, 30)
            case "cancel" if name:
                book.cancel(name)
            case "cancel_instance" if series:
                book.cancel_instance(series[which % len(series)], which % 3)
            case "move_instance" if series:
                book.move_instance(series[which % len(series)], which % 3, 45)
    except Refused:
        pass  # an occurrence that is cancelled already


def apply(copy: Copy, items: list[Json]) -> None:
    """Keep a copy in step as Google asks its clients to: by id, exceptions with their series."""
    for item in items:
        name = item["id"]
        if item["status"] != "cancelled" or "recurringEventId" in item:
            copy[name] = item
        else:
            copy.pop(name, None)
            for one in [n for n, e in copy.items() if e.get("recurringEventId") == name]:
                del copy[one]


def prune(copy: Copy) -> None:
    """After a walk: exceptions whose series has gone before they were told of."""
    for one in [n for n, e in copy.items() if e.get("recurringEventId", n) not in copy]:
        del copy[one]


def etags(copy: Copy) -> dict[str, tuple[str, str]]:
    return {name: (event["status"], event["etag"]) for name, event in copy.items()}


@given(between=st.lists(STEPS, max_size=10), sparse=st.booleans())
@settings(max_examples=60, deadline=None)
def test_a_full_walk_and_the_changes_since_make_the_truth(
    between: list[list[tuple[str, int]]], sparse: bool
) -> None:
    """Covers C1 C5 C7, the server's side of them: things happen between the pages of both walks."""
    twin = Direct(events=20, sparse=sparse)
    calendars = twin.google.account().calendars
    later = iter(between)
    copy: Copy = {}
    asked = {"maxResults": "5"}
    for _ in range(3):
        for page in twin.pages(EVENTS, asked):
            assert ("nextSyncToken" in page) != ("nextPageToken" in page)
            apply(copy, page["items"])
            for step in next(later, []):
                act(calendars, *step)
        prune(copy)
        asked["syncToken"] = page["nextSyncToken"]
    for page in twin.pages(EVENTS, asked):
        apply(copy, page["items"])
    prune(copy)
    assert etags(copy) == etags(calendars.truth()["ada@example.com"])


async def full(visitor: Visitor, path: str = EVENTS, **query: str) -> tuple[list[Json], str]:
    """All items of a walk, and the token for the next."""
    items: list[Json] = []
    async for page in visitor.pages(path, query):
        items += page["items"]
    return items, page["nextSyncToken"]


@pytest.mark.parametrize("most", [1, 4, 7])
async def test_in_a_walk_that_nobody_disturbs_no_event_comes_twice(start: Start, most: int) -> None:
    visitor = await start(events=20, sparse=True)
    truth = visitor.google.account().calendars.truth()["ada@example.com"]
    items, token = await full(visitor, maxResults=str(most))
    assert sorted(one["id"] for one in items) == sorted(truth)
    changed = (await visitor.post(CHANGES, [{"do": "insert", "n": 9}]))["done"][0]
    told, _ = await full(visitor, maxResults=str(most), syncToken=token)
    assert [one["id"] for one in told] == changed


async def test_a_token_of_a_walk_is_for_the_same_question_only(start: Start) -> None:
    """Covers C2 C12, the server's side of it."""
    visitor = await start()
    page = await visitor.get(EVENTS, {"maxResults": "10"})
    further = {"maxResults": "10", "pageToken": page["nextPageToken"]}
    await visitor.get(EVENTS, {**further, "showDeleted": "true"}, status=400)
    await visitor.get(EVENTS, {**further, "maxResults": "11"}, status=400)
    await visitor.get(f"{CALENDAR}/users/me/calendarList", further, status=400)
    await visitor.get(EVENTS, further)
    _, token = await full(visitor, maxAttendees="5")
    await visitor.get(EVENTS, {"syncToken": token, "maxAttendees": "5"})
    await visitor.get(EVENTS, {"syncToken": token}, status=400)
    await visitor.get(EVENTS, {"syncToken": token, "maxAttendees": "6"}, status=400)
    await visitor.get(EVENTS, {"syncToken": "bm9uZQ==", "maxAttendees": "5"}, status=400)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("iCalUID", "a@google.com"),
        ("orderBy", "updated"),
        ("privateExtendedProperty", "a=b"),
        ("sharedExtendedProperty", "a=b"),
        ("q", "word"),
        ("timeMin", "2026-01-01T00:00:00Z"),
        ("timeMax", "2026-01-01T00:00:00Z"),
        ("updatedMin", "2026-01-01T00:00:00Z"),
        ("showDeleted", "false"),
    ],
)
async def test_what_must_not_stand_beside_a_sync_token(start: Start, name: str, value: str) -> None:
    """Covers C2, the server's side of it."""
    visitor = await start(events=3)
    _, token = await full(visitor)
    refused = await visitor.get(EVENTS, {"syncToken": token, name: value}, status=400)
    assert refused["error"]["errors"][0]["location"] in (name, "syncToken")


@pytest.mark.parametrize("page", [1, 2])
async def test_a_sync_token_may_expire_at_any_page(start: Start, page: int) -> None:
    """Covers C3, the server's side of it."""
    visitor = await start(events=3)
    _, token = await full(visitor, maxResults="4")
    await visitor.post(CHANGES, [{"do": "insert", "n": 9}])
    expires = {"at": {"call": "events.list", "n": page}, "changes": [{"do": "expire_sync"}]}
    await visitor.post("/admin/during", expires)
    query = {"syncToken": token, "maxResults": "4"}
    for _ in range(page - 1):
        query["pageToken"] = (await visitor.get(EVENTS, query))["nextPageToken"]
    error = (await visitor.get(EVENTS, query, status=410))["error"]
    assert error["errors"][0]["domain"] == "calendar"
    assert error["errors"][0]["reason"] == "fullSyncRequired"
    items, _ = await full(visitor)
    truth = visitor.google.account().calendars.truth()
    assert {one["id"] for one in items} == set(truth["ada@example.com"])


async def test_sync_tokens_grow_old(start: Start) -> None:
    """Covers C3."""
    visitor = await start(sync_ttl_s=100)
    _, token = await full(visitor)
    _, listed = await full(visitor, LIST)
    await visitor.post("/admin/clock", {"advance_s": 100})
    await visitor.get(EVENTS, {"syncToken": token}, status=410)
    await visitor.get(LIST, {"syncToken": listed}, status=410)


async def test_changes_too_long_ago_cannot_be_asked_for(start: Start) -> None:
    visitor = await start()
    refused = await visitor.get(EVENTS, {"updatedMin": "2020-01-01T00:00:00Z"}, status=410)
    assert refused["error"]["errors"][0]["reason"] == "updatedMinTooLongAgo"


async def test_of_what_is_cancelled_hardly_more_than_its_id_is_left(start: Start) -> None:
    """Covers C7, the server's side of it."""
    visitor = await start(events=3)
    items, token = await full(visitor)
    done = (await visitor.post(CHANGES, [{"do": "insert", "event": SERIES}]))["done"]
    series = done[0][0]
    changes = [
        {"do": "cancel", "id": items[0]["id"]},
        {"do": "cancel_instance", "id": series, "occurrence": 1},
    ]
    single, exception = ((one[0]) for one in (await visitor.post(CHANGES, changes))["done"])
    told = {one["id"]: one for one in (await full(visitor, syncToken=token))[0]}
    assert set(told) == {series, single, exception}
    assert set(told[single]) == {"kind", "etag", "id", "status"}
    fields = {"kind", "etag", "id", "status", "recurringEventId", "originalStartTime"}
    assert set(told[exception]) == fields
    # 30 March is after the clocks went forward: still nine o'clock there.
    start_time = told[exception]["originalStartTime"]
    assert start_time == {"dateTime": "2026-03-30T09:00:00+02:00", "timeZone": "Europe/Berlin"}
    assert exception == f"{series}_20260330T070000Z"
    kept = {one["id"]: one["status"] for one in (await full(visitor))[0]}
    assert single not in kept
    assert kept[exception] == "cancelled"
    assert (await visitor.get(f"{EVENTS}/{single}"))["status"] == "cancelled"


async def test_a_series_its_exceptions_and_its_instances(start: Start) -> None:
    """Covers C6, the server's side of it: one iCalUID, three ids."""
    visitor = await start(events=0)
    series = (await visitor.post(CHANGES, [{"do": "insert", "event": SERIES}]))["done"][0][0]
    move = {"do": "move_instance", "id": series, "occurrence": 1, "minutes": 30}
    moved = (await visitor.post(CHANGES, [move]))["done"][0][0]
    items, _ = await full(visitor)
    assert [one["id"] for one in items] == [series, moved]
    assert items[0]["recurrence"] == SERIES["recurrence"]
    assert items[1]["recurringEventId"] == series
    assert items[1]["start"]["dateTime"] == "2026-03-30T09:30:00+02:00"
    assert items[1]["originalStartTime"]["dateTime"] == "2026-03-30T09:00:00+02:00"
    assert items[1]["sequence"] > items[0]["sequence"]
    instances = (await visitor.get(f"{EVENTS}/{series}/instances"))["items"]
    assert [one["start"]["dateTime"][8:16] for one in instances] == [
        "23T09:00",
        "30T09:30",
        "06T09:00",
    ]
    assert len({one["iCalUID"] for one in instances}) == 1
    assert (await visitor.get(f"{EVENTS}/{instances[2]['id']}")) == instances[2]
    expanded = (await visitor.get(EVENTS, {"singleEvents": "true", "orderBy": "startTime"}))[
        "items"
    ]
    assert expanded == instances
    await visitor.get(EVENTS, {"orderBy": "startTime"}, status=400)
    await visitor.get(f"{EVENTS}/{moved}/instances", status=404)


async def test_of_a_deleted_series_single_events_tell_a_part_only(start: Start) -> None:
    """Covers C8, the hazard."""
    visitor = await start(events=0)
    daily = {**SERIES, "recurrence": ["RRULE:FREQ=DAILY;COUNT=30"]}
    await visitor.post(CHANGES, [{"do": "insert", "event": daily}])
    items, token = await full(visitor, singleEvents="true")
    assert len(items) == 30
    await visitor.post(CHANGES, [{"do": "cancel"}])
    told, _ = await full(visitor, singleEvents="true", syncToken=token)
    assert {one["status"] for one in told} == {"cancelled"}
    assert 0 < len(told) < 30


async def test_a_series_that_goes_takes_its_exceptions_with_it(start: Start) -> None:
    """Covers C7."""
    visitor = await start(events=0)
    series = (await visitor.post(CHANGES, [{"do": "insert", "event": SERIES}]))["done"][0][0]
    _, token = await full(visitor)
    changes = [{"do": "cancel_instance"}, {"do": "move_instance", "occurrence": 1}]
    await visitor.post(CHANGES, [*changes, {"do": "cancel", "id": series}])
    told, _ = await full(visitor, syncToken=token)
    assert {one["status"] for one in told} == {"cancelled"}
    assert len(told) == 3
    assert (await full(visitor))[0] == []


async def test_too_many_attendees_are_left_out_and_that_is_said(start: Start) -> None:
    """Covers C10."""
    visitor = await start(events=60)
    items, _ = await full(visitor)
    many = max(items, key=lambda one: len(one.get("attendees", ())))
    assert len(many["attendees"]) == 30
    few = await visitor.get(f"{EVENTS}/{many['id']}", {"maxAttendees": "5"})
    assert few["attendeesOmitted"] is True
    assert [one["email"] for one in few["attendees"]] == ["ada@example.com"]
    assert few["attendees"][0]["self"] is True
    assert "attendeesOmitted" not in many


async def test_events_have_all_their_forms(start: Start) -> None:
    """Covers C9: days and instants, in zones with and without summer time."""
    items, _ = await full(await start(events=60))
    singles = [one for one in items if one["status"] != "cancelled"]
    assert {tuple(one["start"]) for one in singles} == {("date",), ("dateTime", "timeZone")}
    assert len({one["start"].get("timeZone") for one in singles}) == 5
    assert {one["status"] for one in items} == {"confirmed", "tentative", "cancelled"}
    for field in ("recurrence", "attendees", "hangoutLink", "conferenceData", "visibility"):
        assert any(field in one for one in singles), field
    assert any("self" not in one["organizer"] for one in singles)
    assert len({one["etag"] for one in items}) == len(items)


async def test_other_questions_about_events(start: Start) -> None:
    visitor = await start(events=40)
    items, _ = await full(visitor)
    one = items[0]
    window = {"timeMin": one["start"]["dateTime"], "timeMax": one["end"]["dateTime"]}
    assert one in (await visitor.get(EVENTS, window))["items"]
    uid = await visitor.get(EVENTS, {"iCalUID": one["iCalUID"]})
    assert uid["items"] == [one]
    assert "nextSyncToken" not in uid
    found = (await visitor.get(EVENTS, {"q": one["summary"]}))["items"]
    assert one in found
    private = {"privateExtendedProperty": "ticket=T-9"}
    assert len((await visitor.get(EVENTS, private))["items"]) == 1
    tokyo = await visitor.get(f"{EVENTS}/{one['id']}", {"timeZone": "Asia/Tokyo"})
    assert tokyo["start"]["dateTime"].endswith("+09:00")
    await visitor.get(EVENTS, {"timeZone": "Mars/Base"}, status=400)
    await visitor.get(EVENTS, {"timeMin": "2026-01-01T00:00:00"}, status=400)
    empty = {"timeMin": "2026-02-01T00:00:00Z", "timeMax": "2026-01-01T00:00:00Z"}
    await visitor.get(EVENTS, empty, status=400)


async def test_the_list_of_calendars_and_what_becomes_of_it(start: Start) -> None:
    """Covers C4, the server's side of it."""
    visitor = await start(events=10)
    items, token = await full(visitor, LIST)
    ids = {one["summary"]: one["id"] for one in items}
    assert {one["accessRole"] for one in items} == {"owner", "writer", "reader", "freeBusyReader"}
    added = (await visitor.post(CHANGES, [{"do": "add_calendar", "summary": "Own"}]))["done"][0][0]
    changes = [
        {"do": "hide", "calendar": ids["Team"]},
        {"do": "unshare", "calendar": ids["Holidays"]},
    ]
    await visitor.post(CHANGES, changes)
    told = {one["id"]: one for one in (await full(visitor, LIST, syncToken=token))[0]}
    assert set(told) == {added, ids["Team"], ids["Holidays"]}
    assert told[ids["Team"]]["hidden"] is True
    gone = told[ids["Holidays"]]
    assert (gone["deleted"], "summary" in gone) == (True, False)
    listed = {one["id"] for one in (await full(visitor, LIST))[0]}
    assert listed == {"ada@example.com", added, ids["Room 1"]}
    both = {"showHidden": "true", "showDeleted": "true"}
    assert {one["id"] for one in (await full(visitor, LIST, **both))[0]} == {added, *ids.values()}
    for wrong in ({"showHidden": "false"}, {"showDeleted": "false"}, {"minAccessRole": "owner"}):
        await visitor.get(LIST, {"syncToken": token, **wrong}, status=400)
    await visitor.get(f"{CALENDAR}/calendars/{ids['Team']}/events")
    path = ids["Holidays"].replace("#", "%23")
    await visitor.get(f"{CALENDAR}/calendars/{path}/events", status=404)


async def test_a_calendar_of_which_only_the_times_may_be_seen(start: Start) -> None:
    """Covers C4: a downgrade ends its sync tokens, and the full walk afterwards shows times."""
    visitor = await start(events=10)
    items, token = await full(visitor)
    assert all("summary" in one for one in items if one["status"] != "cancelled")
    await visitor.post(CHANGES, [{"do": "downgrade"}])
    await visitor.get(EVENTS, {"syncToken": token}, status=410)
    blurred, _ = await full(visitor)
    assert {one["id"] for one in blurred} == {one["id"] for one in items}
    for one in blurred:
        assert not {"summary", "attendees", "organizer", "iCalUID"} & set(one)


async def test_an_event_that_moves_to_another_calendar(start: Start) -> None:
    visitor = await start(events=2)
    other = (await visitor.post(CHANGES, [{"do": "add_calendar"}]))["done"][0][0]
    name = (await visitor.post(CHANGES, [{"do": "move", "to": other}]))["done"][0][0]
    assert (await visitor.get(f"{EVENTS}/{name}"))["status"] == "cancelled"
    moved = await visitor.get(f"{CALENDAR}/calendars/{other}/events/{name}")
    assert moved["organizer"] == {"email": other, "self": True}


async def test_a_page_is_capped_and_the_last_one_alone_has_the_token(start: Start) -> None:
    """Covers C1, the server's side of it."""
    visitor = await start(events=3_000)
    first = await visitor.get(EVENTS, {"maxResults": "9999"})
    assert len(first["items"]) == 2_500
    assert "nextSyncToken" not in first


async def test_a_patch_takes_fields_away_and_keeps_what_is_fixed(start: Start) -> None:
    """Covers C11: what changes later has a later time and another etag."""
    visitor = await start(events=3)
    before = (await full(visitor))[0][0]
    await visitor.post("/admin/clock", {"advance_s": 5})
    await visitor.post(CHANGES, [{"do": "patch", "event": {"summary": None, "location": "Here"}}])
    await visitor.post(CHANGES, [{"do": "move", "minutes": 15}])
    after = await visitor.get(f"{EVENTS}/{before['id']}")
    assert ("summary" in after, after["location"]) == (False, "Here")
    assert after["updated"] > before["updated"]
    assert (after["sequence"], before["sequence"]) == (1, 0)
    assert after["etag"] != before["etag"]
    await visitor.post(CHANGES, [{"do": "patch", "event": {"id": "x"}}], status=400)


def test_the_same_seed_has_the_same_events() -> None:
    one, other, third = (Direct(seed=seed) for seed in (3, 3, 4))
    truths: list[dict[str, Any]] = [
        twin.google.account().calendars.truth() for twin in (one, other, third)
    ]
    assert truths[0] == truths[1] != truths[2]
