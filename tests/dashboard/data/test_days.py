"""Meetings in the browser's time zone; days in search and timeline."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from starlette.testclient import TestClient
from tests.api.conftest import House

AT = datetime(2026, 3, 2, 3, 30, tzinfo=UTC)


@pytest.fixture
def stream(house: House) -> int:
    """A calendar: a meeting in the night, and a whole day."""
    made = house.stream(house.connection(provider="google_calendar"))
    house.meeting(made, "night", AT)
    house.meeting(made, "day", datetime(2026, 3, 2, tzinfo=UTC))
    house.execute("UPDATE headrace.calendar_events SET all_day = true WHERE source_id = 'day'")
    house.execute(
        "UPDATE headrace.calendar_events SET ends_at = occurred_at + interval '1 hour'"
        " WHERE source_id = 'night'"
    )
    return made


def days(page: str) -> dict[str, list[str]]:
    """The times of the meetings of each day."""
    found = re.findall(r'id="day-([^"]+)">(.*?)</section>', page, re.DOTALL)
    return {on: re.findall(r'class="time">([^<]+)', text) for on, text in found}


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        ("", {"2026-03-02": ["all day", "03:30 to 04:30"]}),
        ("Europe/Zurich", {"2026-03-02": ["all day", "04:30 to 05:30"]}),
        ("America/New_York", {"2026-03-01": ["22:30 to 23:30"], "2026-03-02": ["all day"]}),
        ("Pacific/Kiritimati", {"2026-03-02": ["all day", "17:30 to 18:30"]}),
        ("../../etc/passwd", {"2026-03-02": ["all day", "03:30 to 04:30"]}),
        ("<script>", {"2026-03-02": ["all day", "03:30 to 04:30"]}),
    ],
)
def test_a_meeting_stands_at_the_day_and_hour_of_whoever_looks(
    ann: TestClient, stream: int, zone: str, expected: dict[str, list[str]]
) -> None:
    """Covers A2.20: a whole day is that day everywhere; without a zone it is UTC."""
    if zone:
        ann.cookies["headrace_zone"] = zone
    page = ann.get("/calendar", params={"since": "2026-03-01"}).text
    assert days(page) == expected
    said = zone if zone and zone[0].isupper() else "UTC"
    assert f"times in {said}" in page
    assert f'data-zone="{said}"' in page
    meeting = ann.get(f"/records/meetings/{stream}/night").text
    assert said in meeting
    assert "Tea" in meeting


def test_an_empty_fortnight_leads_to_the_nearest_meetings(ann: TestClient, stream: int) -> None:
    page = ann.get("/calendar", params={"since": "2026-06-01"}).text
    assert 'href="/calendar?since=2026-03-02">The one before' in page
    assert "The one after" not in page
    page = ann.get("/calendar", params={"since": "2025-06-01"}).text
    assert "The one after" in page


@pytest.mark.parametrize("since", ["0001-01-01", "9999-12-31", "x"])
def test_a_day_that_is_none_is_said(ann: TestClient, since: str) -> None:
    answer = ann.get("/calendar", params={"since": since})
    assert answer.status_code == 422
    assert "Internal" not in answer.text


def test_what_is_asked_for_until_a_day_is_with_that_day(ann: TestClient, house: House) -> None:
    """And every facet stays in the address when another one is chosen."""
    stream = house.stream(house.connection())
    house.event(stream, "e1", AT)
    asked = {"q": "teapot", "since": "2026-03-02", "until": "2026-03-02", "mode": "text"}
    page = ann.get("/search", params=asked).text
    assert "1 found in" in page
    kept = "q=teapot&amp;since=2026-03-02&amp;until=2026-03-02&amp;mode=text&amp;kind=events"
    assert f'href="?{kept}"' in page
    page = ann.get("/search", params={**asked, "until": "2026-03-01", "since": ""}).text
    assert "Nothing was found." in page
    assert "Search everywhere, at any time." in page
    assert ann.get("/search", params={**asked, "until": "9999-12-31"}).status_code == 422
