"""`/api/interactions`, `/api/events`, `/api/connections`: what has been brought in, by page."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient
from tests.api.conftest import TIME

if TYPE_CHECKING:
    from tests.api.conftest import House, Problem


@pytest.fixture
def filled(house: House) -> list[str]:
    """Seven events in the order they should be listed in: two share a time, two have none."""
    stream = house.stream(house.connection())
    hours = {"a": 5, "b": 4, "d": 3, "c": 3, "e": 0}
    for source_id, hour in hours.items():
        house.event(stream, source_id, TIME + timedelta(hours=hour))
    for source_id in ("x", "w"):
        house.event(stream, source_id, None)
    return [*hours, "x", "w"]


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 50])
def test_pages_hold_each_row_once(client: TestClient, filled: list[str], limit: int) -> None:
    """Covers A3.5, A3.21: newest first, those without a time last, whatever the page's size."""
    seen: list[str] = []
    asked: dict[str, Any] = {"limit": limit}
    while True:
        page = client.get("/api/events", params=asked).json()
        assert 0 < len(page["items"]) <= limit
        seen += [row["source_id"] for row in page["items"]]
        if page["next"] is None:
            break
        asked["cursor"] = page["next"]
    assert seen == filled


def test_rows_can_be_asked_for_by_time(client: TestClient, filled: list[str]) -> None:
    def between(**asked: str) -> list[str]:
        return [row["source_id"] for row in client.get("/api/events", params=asked).json()["items"]]

    assert between(since="2026-01-01T04:00:00Z") == ["a", "b"]
    assert between(since="2026-01-01T05:00:00+01:00") == ["a", "b"]
    assert between(since="2026-01-01T04:00:00") == ["a", "b"], "UTC where no zone is named"
    assert between(until="2026-01-01T03:00:00Z") == ["e"]
    assert between(since="2026-01-01T03:00:00Z", until="2026-01-01T04:00:00Z") == ["d", "c"]


def test_a_cursor_of_something_else_is_refused(
    client: TestClient, filled: list[str], problem: Problem
) -> None:
    for wrong in ("x", "bnVsbA", "WzFd", "💧", "W251bGwsMSwiYSJd!"):
        problem(client.get("/api/events", params={"cursor": wrong}), 422)


def test_a_message_is_listed_without_and_read_with_its_text(
    house: House, client: TestClient, problem: Problem
) -> None:
    """Covers A3.21. Ids of messages hold whatever the source puts into them."""
    stream = house.stream(house.connection())
    source_id = "<a/b?c#d e@example.org>"
    house.mail(stream, source_id, body="All of it.")
    [line] = client.get("/api/interactions").json()["items"]
    assert (line["source_id"], line["occurred_at"]) == (source_id, "2026-01-01T00:00:00Z")
    assert "body" not in line
    read = client.get(f"/api/interactions/{stream}/{quote(source_id, safe='')}").json()
    assert (read["body"], read["subject"]) == ("All of it.", "Invoice")
    problem(client.get(f"/api/interactions/{stream}/nothing"), 404)
    problem(client.get(f"/api/events/{stream}/{quote(source_id, safe='')}"), 404)
    problem(client.get("/api/events/99999999999999999999999/x"), 404)


def test_a_calendar_can_be_read(house: House, client: TestClient) -> None:
    """Covers A3.5, A3.22."""
    stream = house.stream(house.connection())
    for n in range(68):
        house.meeting(stream, f"m{n}", TIME + timedelta(days=n))
    page = client.get("/api/calendar-events?limit=50").json()
    rest = client.get(f"/api/calendar-events?limit=50&cursor={page['next']}").json()
    seen = [row["source_id"] for row in page["items"] + rest["items"]]
    assert seen == [f"m{n}" for n in reversed(range(68))]
    assert "description" not in page["items"][0]
    read = client.get(f"/api/calendar-events/{stream}/m0").json()
    assert (read["title"], read["description"]) == ("Tea", "With a teapot.")


def test_an_event_keeps_its_properties(house: House, client: TestClient) -> None:
    stream = house.stream(house.connection())
    house.event(stream, "e", properties={"a": [1, None, {"b": "ü"}]})
    read = client.get(f"/api/events/{stream}/e").json()
    assert read["properties"] == {"a": [1, None, {"b": "ü"}]}


def test_connections_show_their_health_and_no_secrets(house: House, client: TestClient) -> None:
    """Neither the credential nor the config, which may hold addresses nobody should see."""
    connection = house.connection()
    house.execute(
        "UPDATE headrace.connections SET health = 'needs_reauth', health_reason = 'Revoked.',"
        " credential = 'sealed'::bytea, config = '{\"key\": \"canary\"}'"
    )
    house.event(house.stream(connection), "e")
    answer = client.get("/api/connections")
    [row] = answer.json()["items"]
    assert (row["name"], row["health"], row["health_reason"]) == (
        "shop",
        "needs_reauth",
        "Revoked.",
    )
    assert "canary" not in answer.text
    assert "sealed" not in answer.text
    assert not {"credential", "config"} & set(row)


def test_the_database_may_live_in_another_time_zone(house: House, client: TestClient) -> None:
    """Times are told in UTC."""
    house.event(house.stream(house.connection()), "e")
    [row] = house.execute("SELECT current_database() AS name")
    house.execute(f"ALTER DATABASE {row['name']} SET timezone = 'Asia/Kolkata'")
    house.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
        " AND pid <> pg_backend_pid()",
        row["name"],
    )
    [event] = client.get("/api/events").json()["items"]
    assert event["occurred_at"] == "2026-01-01T00:00:00Z"
