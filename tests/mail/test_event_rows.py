"""An event as rows: as an appointment, and as a meeting of people."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.errors import Skip
from headrace.rows import CalendarEventRow, InteractionRow
from headrace.stage import RawEvent, Stage, StreamContext
from headrace.stages.normalise_calendar import normalize_calendar
from headrace.stages.normalise_google_event import normalize_google_event

OWN = frozenset({"ada@example.com"})
MEET = "https://meet.google.com/abc-defg-hij"
GOOGLE: dict[str, Any] = {
    "id": "e1",
    "iCalUID": "1@google.com",
    "status": "confirmed",
    "summary": "Planning",
    "description": "Bring <b>numbers</b>",
    "start": {"dateTime": "2026-07-05T10:00:00+02:00", "timeZone": "Europe/Berlin"},
    "end": {"dateTime": "2026-07-05T11:00:00+02:00", "timeZone": "Europe/Berlin"},
    "organizer": {"email": "ada@example.com", "self": True},
    "attendees": [
        {"email": "ada@example.com", "responseStatus": "accepted", "organizer": True},
        {"email": "Bob@x.example", "displayName": "Bob", "responseStatus": "tentative"},
        {"email": "c@x.example", "responseStatus": "needsAction", "optional": True},
        {"email": "r@resource.calendar.google.com", "displayName": "Room", "resource": True},
    ],
    "hangoutLink": MEET,
}
ICS = (
    "BEGIN:VEVENT\nUID:1@x.example\nDTSTART;TZID=W. Europe Standard Time:20260705T100000\n"
    "SUMMARY:Planning\nDESCRIPTION:See\\n https://us02web.zoom.us/j/1?pwd=a\n"
    "ORGANIZER;CN=Ada:mailto:ada@example.com\n"
    "ATTENDEE;CN=Bob;PARTSTAT=DECLINED:mailto:BOB@x.example\n"
    "ATTENDEE;CN=c@x.example;ROLE=OPT-PARTICIPANT;PARTSTAT=NEEDS-ACTION:mailto:c@x.example\n"
    "ATTENDEE;CUTYPE=ROOM;CN=Room 4:mailto:room4@x.example\n{more}END:VEVENT\n"
)


def rows(one: Stage, payload: bytes) -> tuple[CalendarEventRow, InteractionRow]:
    """What the stage makes of an event, twice the same."""
    stream = StreamContext("google_calendar", "c", "", "{}", OWN)
    raw = RawEvent("e1", 2, None, payload)
    event, meeting = one.run(raw, stream)
    assert [event, meeting] == list(one.run(raw, stream))
    return event, meeting


def google(**fields: Any) -> tuple[CalendarEventRow, InteractionRow]:
    told = {name: value for name, value in {**GOOGLE, **fields}.items() if value is not None}
    return rows(normalize_google_event, json.dumps(told).encode())


def ics(more: str = "") -> tuple[CalendarEventRow, InteractionRow]:
    text = f"BEGIN:VCALENDAR\nVERSION:2.0\n{ICS.replace('{more}', more)}END:VCALENDAR\n"
    return rows(normalize_calendar, text.replace("\n", "\r\n").encode())


def people(row: InteractionRow) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = msgspec.json.decode(row.people)
    return found


def test_a_meeting_of_people() -> None:
    """Covers A3.4, A3.12: the event, and the same between people."""
    event, meeting = google()
    assert meeting == InteractionRow(
        source_id="e1",
        version=2,
        source="google_calendar",
        kind="meeting_created",
        occurred_at=datetime(2026, 7, 5, 8, tzinfo=UTC),
        direction="outbound",
        thread_id="1@google.com",
        from_address="ada@example.com",
        to_addresses=event.attendees,
        subject="Planning",
        body="Bring numbers",
        people=meeting.people,
        meeting_url=MEET,
        text_hash=hashlib.sha256(b"planning\n\nbring numbers").digest(),
    )
    assert people(meeting) == [
        {"role": "organizer", "kind": "email", "value": "ada@example.com"},
        {"role": "attendee", "kind": "email", "value": "ada@example.com", "answer": "accepted"},
        {"role": "attendee", "kind": "email", "value": "bob@x.example", "name": "Bob",
         "answer": "tentative"},
        {"role": "attendee", "kind": "email", "value": "c@x.example", "answer": "none"},
        {"role": "attendee", "kind": "email", "value": "r@resource.calendar.google.com",
         "name": "Room", "answer": "none", "automated": "room"},
    ]  # fmt: skip
    assert (event.occurred_at, event.time_zone) == (meeting.occurred_at, "Europe/Berlin")
    assert (event.organizer, event.meeting_url) == ("ada@example.com", MEET)
    assert msgspec.json.decode(event.guests)[2:] == [
        {"address": "c@x.example", "name": None, "answer": "none", "optional": True,
         "room": False},
        {"address": "r@resource.calendar.google.com", "name": "Room", "answer": "none",
         "optional": False, "room": True},
    ]  # fmt: skip


def test_a_meeting_of_a_calendars_file() -> None:
    """Covers A3.4, A3.12."""
    event, meeting = ics()
    assert (meeting.source, meeting.kind, meeting.direction) == (
        "calendar", "meeting_created", "outbound",
    )  # fmt: skip
    assert meeting.occurred_at == datetime(2026, 7, 5, 8, tzinfo=UTC)
    assert event.time_zone == "Europe/Berlin"
    assert event.meeting_url == meeting.meeting_url == "https://us02web.zoom.us/j/1?pwd=a"
    assert people(meeting) == [
        {"role": "organizer", "kind": "email", "value": "ada@example.com", "name": "Ada"},
        {"role": "attendee", "kind": "email", "value": "bob@x.example", "name": "Bob",
         "answer": "declined"},
        {"role": "attendee", "kind": "email", "value": "c@x.example", "answer": "none"},
        {"role": "attendee", "kind": "email", "value": "room4@x.example", "name": "Room 4",
         "answer": "none", "automated": "room"},
    ]  # fmt: skip
    guests = msgspec.json.decode(event.guests)
    assert [one["optional"] for one in guests] == [False, True, False]


def test_one_that_does_not_take_place() -> None:
    """Covers C7: of a cancelled occurrence hardly more is told than which one it is."""
    least = dict.fromkeys(GOOGLE) | {"id": "e1", "status": "cancelled"}
    event, meeting = google(**least, originalStartTime={"dateTime": "2026-03-30T17:00:00Z"})
    assert (event.status, meeting.kind) == ("cancelled", "meeting_cancelled")
    assert meeting.occurred_at == datetime(2026, 3, 30, 17, tzinfo=UTC)
    assert (people(meeting), meeting.text_hash, meeting.direction) == ([], None, None)
    assert ics("STATUS:CANCELLED\n")[1].kind == "meeting_cancelled"


def test_one_that_was_moved() -> None:
    """Covers C6: it belongs to its series, and is when it is now."""
    event, meeting = google(
        recurringEventId="s", originalStartTime={"dateTime": "2026-07-04T08:00:00Z"}
    )
    assert event.recurrence_id == "20260704T080000Z"
    assert meeting.occurred_at == datetime(2026, 7, 5, 8, tzinfo=UTC)
    assert meeting.thread_id == "1@google.com"


def test_a_whole_day() -> None:
    event, meeting = google(start={"date": "2026-07-05"}, end=None)
    assert (event.all_day, event.time_zone) == (True, None)
    assert meeting.occurred_at == datetime(2026, 7, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("fields", "direction", "by"),
    [
        ({"organizer": {"email": "ADA+x@example.com"}}, "outbound", "ada+x@example.com"),
        ({"organizer": {"email": "bob@x.example"}}, "inbound", "bob@x.example"),
        ({"organizer": None}, None, None),
        (
            {
                "organizer": {"email": "c1@group.calendar.google.com", "displayName": "Team"},
                "creator": {"email": "ada@example.com"},
            },
            "outbound",
            "ada@example.com",
        ),
    ],
    ids=["own", "another's", "nobody's", "a calendar's"],
)
def test_who_has_asked_for_it(
    fields: dict[str, Any], direction: str | None, by: str | None
) -> None:
    """Covers A1.39."""
    event, meeting = google(**fields)
    assert (meeting.direction, meeting.from_address) == (direction, by)
    organizers = [one["value"] for one in people(meeting) if one["role"] == "organizer"]
    assert organizers == ([by] if by else [])
    told = fields["organizer"]
    assert event.organizer == (told["email"].lower() if told else None)


@pytest.mark.parametrize(
    "fields",
    [
        {"eventType": "birthday"},
        {"eventType": "fromGmail"},
        {"organizer": {"email": "en.uk#holiday@group.v.calendar.google.com"}},
        {"organizer": {"email": "unknownorganizer@calendar.google.com"}},
    ],
)
def test_what_programs_put_into_calendars(fields: dict[str, Any]) -> None:
    assert google(**fields)[1].automated == "calendar"


@pytest.mark.parametrize(
    "fields",
    [
        {"conferenceData": {"entryPoints": [{"uri": "tel:+1"}, {"uri": MEET}]}},
        {"location": f"Room 4 / {MEET}"},
        {"description": f'<a href="{MEET}">Join</a>'},
    ],
)
def test_where_it_is_held(fields: dict[str, Any]) -> None:
    event, meeting = google(**{"hangoutLink": None, **fields})
    assert event.meeting_url == meeting.meeting_url == MEET


@given(st.binary(max_size=200))
def test_any_bytes_are_an_event_or_skipped(payload: bytes) -> None:
    """Covers A1.54: and nothing else is raised."""
    for one in (normalize_calendar, normalize_google_event):
        try:
            rows(one, payload)
        except Skip:
            continue
