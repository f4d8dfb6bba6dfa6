"""Events as Google Calendar tells them: times in UTC, people, recurrence as it stands."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headrace.errors import Skip
from headrace.mail.event import CalendarEvent, Guest
from headrace.mail.google_event import parse_google_event

_PLAIN = st.one_of(st.none(), st.booleans(), st.integers(), st.text())
_ANY_JSON = st.one_of(
    _PLAIN,
    st.lists(_PLAIN, max_size=3),
    st.fixed_dictionaries({"dateTime": _PLAIN, "timeZone": _PLAIN, "email": _PLAIN}),
    st.fixed_dictionaries({"date": _PLAIN}),
    st.lists(st.fixed_dictionaries({"email": _PLAIN}), max_size=3),
)
_USED = ("start", "end", "originalStartTime", "summary", "description", "location", "organizer",
         "attendees", "status", "recurrence", "iCalUID", "creator",
         "conferenceData", "hangoutLink")  # fmt: skip


def parsed(**fields: Any) -> CalendarEvent:
    return parse_google_event(json.dumps({"id": "a", **fields}).encode())


def at(text: str, zone: str | None = None) -> dict[str, str]:
    return {"dateTime": text} | ({"timeZone": zone} if zone else {})


def test_everything_an_event_can_say() -> None:
    """Covers A3.12, C9: the times of its zone in UTC, addresses once and lower-cased."""
    found = parsed(
        iCalUID="1@google.com",
        start=at("2026-07-05T10:00:00+02:00", "Europe/Berlin"),
        end=at("2026-07-05T11:30:00+02:00", "Europe/Berlin"),
        summary="Review\0, second round ",
        location="Room 4",
        description="Bring\nthe numbers<br>and <b>the plan</b> &amp; a pen",
        organizer={"email": "Jane@Example.org", "displayName": "Jane"},
        attendees=[
            {"email": "Bob@example.org", "responseStatus": "accepted"},
            {"email": "bob@example.org"},
            {"displayName": "Somebody"},
        ],
        status="confirmed",
        recurrence=["RRULE:FREQ=WEEKLY;COUNT=3", "EXDATE:20260712T080000Z"],
    )
    assert found == CalendarEvent(
        uid="1@google.com",
        recurrence_id=None,
        starts_at=datetime(2026, 7, 5, 8, tzinfo=UTC),
        ends_at=datetime(2026, 7, 5, 9, 30, tzinfo=UTC),
        all_day=False,
        title="Review, second round",
        location="Room 4",
        description="Bring\nthe numbers\nand the plan & a pen",
        organizer=Guest("jane@example.org", "Jane"),
        guests=[Guest("bob@example.org", answer="accepted")],
        status="confirmed",
        recurrence="RRULE:FREQ=WEEKLY;COUNT=3\nEXDATE:20260712T080000Z",
        time_zone="Europe/Berlin",
    )


def test_whole_days() -> None:
    """Covers C9: they begin at 00:00 UTC, and the end is exclusive."""
    found = parsed(start={"date": "2026-01-05"}, end={"date": "2026-01-07"})
    assert found.all_day
    assert found.starts_at == datetime(2026, 1, 5, tzinfo=UTC)
    assert found.ends_at == datetime(2026, 1, 7, tzinfo=UTC)
    assert parsed(start={"date": "2026-01-05"}).ends_at == datetime(2026, 1, 6, tzinfo=UTC)


@pytest.mark.parametrize(
    ("told", "hour"),
    [
        (at("2026-03-29T02:30:00", "Europe/Berlin"), (1, 30)),  # an hour that there is not
        (at("2026-10-25T02:30:00", "Europe/Berlin"), (0, 30)),  # one that there is twice
        (at("2026-10-25T02:30:00+01:00", "Europe/Berlin"), (1, 30)),  # the second one
        (at("2026-01-05T09:00:00", "W. Europe Standard Time"), (8, 0)),  # Windows' name
        (at("2026-01-05T09:00:00", "Mars/Base"), (9, 0)),
        (at("2026-01-05T09:00:00", "../../etc/passwd"), (9, 0)),
        (at("2026-01-05T09:00:00"), (9, 0)),
        (at("2026-01-05T09:00:00-05:00", "Mars/Base"), (14, 0)),
    ],
)
def test_times_in_their_zones(told: dict[str, str], hour: tuple[int, int]) -> None:
    """Covers C9: hours that clocks skip or repeat, and zones that the IANA does not know."""
    found = parsed(start=told).starts_at
    assert found is not None
    assert (found.hour, found.minute) == hour


def test_which_occurrence_it_is() -> None:
    """Covers C6, C7: by its original time, however the offset is written; the least that is told
    of a cancelled one is enough."""
    for text in ("2026-03-30T19:00:00+02:00", "2026-03-30T17:00:00Z"):
        found = parsed(status="cancelled", recurringEventId="s", originalStartTime=at(text))
        assert found.recurrence_id == "20260330T170000Z"
        assert found.starts_at == datetime(2026, 3, 30, 17, tzinfo=UTC)
        assert (found.status, found.title, found.ends_at) == ("cancelled", None, None)
    day = parsed(status="cancelled", originalStartTime={"date": "2026-03-30"})
    assert (day.recurrence_id, day.all_day) == ("20260330", True)


@pytest.mark.parametrize("payload", [b"", b"{", b"[]", b'{"id": 7}', b"{}", b"\xff"])
def test_what_is_no_event(payload: bytes) -> None:
    """Covers R13."""
    with pytest.raises(Skip, match="cannot be read"):
        parse_google_event(payload)


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "no"])
def test_absurd_times(text: str) -> None:
    assert parsed(start=at(text), originalStartTime=at(text)).starts_at is None


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(fields=st.dictionaries(st.sampled_from(_USED), _ANY_JSON))
def test_fields_of_any_type(fields: dict[str, Any]) -> None:
    """Covers R12, R13: whatever a field has become, the others are read."""
    found = parsed(**fields)
    for text in (found.title, found.description, found.recurrence, found.uid):
        assert text is None or ("\0" not in text and text.encode())
