"""Calendar events: times in UTC, people, recurrence as it stands."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace.errors import Skip
from headrace.mail.event import CalendarEvent, Guest, parse_event


def event(*lines: str) -> bytes:
    inside = "\r\n".join(["BEGIN:VEVENT", *lines, "END:VEVENT"])
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{inside}\r\nEND:VCALENDAR\r\n".encode()


DAY = "DTSTART;VALUE=DATE:20260105"
AT_TEN = "DTSTART:20260105T100000Z"


def test_everything_an_event_can_say() -> None:
    """Covers A3.12."""
    found = parse_event(
        event(
            "UID:1@example.com",
            "DTSTART;TZID=Europe/Berlin:20260705T100000",
            "DTEND;TZID=Europe/Berlin:20260705T113000",
            "SUMMARY:Review\\, second round",
            "LOCATION:Room 4",
            "DESCRIPTION:Bring\\nthe numbers and",
            "  the \0plan",
            'ORGANIZER;CN="Doe, Jane":mailto:Jane@Example.org',
            "ATTENDEE;PARTSTAT=ACCEPTED:MAILTO:Bob@example.org",
            "ATTENDEE:mailto:bob@example.org",
            "ATTENDEE:https://example.org/room",
            "STATUS:CONFIRMED",
            "RRULE:FREQ=WEEKLY;",
            " COUNT=3",
            "EXDATE:20260712T080000Z",
        )
    )
    assert found == CalendarEvent(
        uid="1@example.com",
        recurrence_id=None,
        starts_at=datetime(2026, 7, 5, 8, tzinfo=UTC),
        ends_at=datetime(2026, 7, 5, 9, 30, tzinfo=UTC),
        all_day=False,
        title="Review, second round",
        location="Room 4",
        description="Bring\nthe numbers and the plan",
        organizer=Guest("jane@example.org", "Doe, Jane"),
        guests=[Guest("bob@example.org", answer="accepted")],
        status="CONFIRMED",
        recurrence="RRULE:FREQ=WEEKLY;COUNT=3\nEXDATE:20260712T080000Z",
        time_zone="Europe/Berlin",
    )


@pytest.mark.parametrize(
    ("lines", "starts", "ends", "all_day"),
    [
        ([DAY], (2026, 1, 5), (2026, 1, 6), True),
        ([DAY, "DTEND;VALUE=DATE:20260108"], (2026, 1, 5), (2026, 1, 8), True),
        ([AT_TEN, "DURATION:PT90M"], (2026, 1, 5, 10), (2026, 1, 5, 11, 30), False),
        (["DTSTART:20260105T100000"], (2026, 1, 5, 10), None, False),
        (["DTSTART;TZID=W. Europe Standard Time:20260105T100000"], (2026, 1, 5, 9), None, False),
        (["DTSTART;TZID=Nowhere/Land:20260105T100000"], (2026, 1, 5, 10), None, False),
        (["DTSTART:soon", "DURATION:PT1H"], None, None, False),
        ([AT_TEN, "DURATION:PT99999999999H"], (2026, 1, 5, 10), None, False),
        (["DTSTART:00010101T000000"], None, None, False),
        (["DTSTART:99991231T235959"], None, None, False),
        (["SUMMARY:no time at all"], None, None, False),
    ],
)  # fmt: skip
def test_times(
    lines: list[str], starts: tuple[int, ...] | None, ends: tuple[int, ...] | None, all_day: bool
) -> None:
    """Days, ends that are exclusive, zones of Windows and of nobody. Covers C9."""
    found = parse_event(event(*lines))
    assert found.starts_at == (datetime(*starts, tzinfo=UTC) if starts else None)  # type: ignore[arg-type,misc]
    assert found.ends_at == (datetime(*ends, tzinfo=UTC) if ends else None)  # type: ignore[arg-type,misc]
    assert found.all_day is all_day


def test_a_broken_time_zone_does_not_hide_the_event() -> None:
    """Nor do the rules of a zone pass for the event's own recurrence."""
    zone = (
        b"BEGIN:VTIMEZONE\r\nTZID:Europe/Berlin\r\nBEGIN:STANDARD\r\nDTSTART:nonsense\r\n"
        b"RRULE:FREQ=SECONDLY\r\nX:1\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"
    )
    data = event("DTSTART;TZID=Europe/Berlin:20260105T100000")
    found = parse_event(data.replace(b"BEGIN:VEVENT", zone + b"BEGIN:VEVENT"))
    assert found.starts_at == datetime(2026, 1, 5, 9, tzinfo=UTC)
    assert found.recurrence is None


def test_a_changed_occurrence_says_which() -> None:
    """Covers C6."""
    found = parse_event(event("UID:1", "RECURRENCE-ID;TZID=Europe/Berlin:20260106T100000"))
    assert found.recurrence_id == "20260106T100000"


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"no calendar",
        b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n",
        event("UID:1") + event("UID:2"),
        event("DESCRIPTION:" + "x" * (1 << 20)),
        b"BEGIN:VEVENT\r\n" * 20_000 + b"END:VEVENT\r\n" * 20_000,
    ],
)
def test_what_is_no_event_is_skipped(payload: bytes) -> None:
    with pytest.raises(Skip, match="cannot be read") as caught:
        parse_event(payload)
    assert caught.value.hint


_LINES = st.sampled_from(
    ["UID:1", "DTSTART:20260105T100000Z", "DTSTART;TZID=x:2026", "DTEND;VALUE=DATE:20260105", "x",
     "DURATION:-P1D", "RRULE:FREQ=NEVER", "ATTENDEE:mailto:a@b", "ATTENDEE;X=:", "BEGIN:VALARM",
     "END:VALARM", "BEGIN:VEVENT", "END:VEVENT", "SUMMARY;LANGUAGE=\xff:\0", ";;:", " folded", "",
     "DTSTART;VALUE=PERIOD:20260105T100000Z/PT1H", "RDATE;VALUE=PERIOD:1/2", "EXDATE:20260105",
     "RECURRENCE-ID;RANGE=THISANDFUTURE:20260105", "BEGIN:VTIMEZONE", "TZID:x", "END:VTIMEZONE"]
)  # fmt: skip


@settings(deadline=None)
@given(st.lists(_LINES, max_size=12))
def test_any_lines_are_an_event_or_skipped(lines: list[str]) -> None:
    """R12: what comes out fits into PostgreSQL. Covers R12."""
    try:
        found = parse_event(event(*lines))
    except Skip:
        return
    texts = [found.uid, found.title, found.description, found.recurrence, found.time_zone]
    for text in (*texts, *(one.address for one in found.guests)):
        assert "\0" not in (text or "")
        (text or "").encode()
