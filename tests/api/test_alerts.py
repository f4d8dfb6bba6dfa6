"""Alerts as a program sees them, and as a browser does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from starlette.testclient import TestClient

from headrace.engine.rule import rules

if TYPE_CHECKING:
    from tests.api.conftest import House, Problem


def incident(house: House, said: str = "It is broken.", **more: Any) -> str:
    """One open incident; its id."""
    row = {"tenant": "acme", "user": "ann", "rule": "job_failed", "subject": said}
    row |= {"hint": "Mend it.", "link": "/sources/x", **more}
    [made] = house.execute(
        "INSERT INTO headrace.incidents (tenant_id, user_id, rule, subject, said, hint, link)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s) RETURNING incident_id",
        *(row[one] for one in ("tenant", "user", "rule", "subject")),
        *(said, row["hint"], row["link"]),
    )
    return str(made["incident_id"])


def delivery(house: House, incident_id: str, tenant: str = "acme") -> str:
    [made] = house.execute(
        "INSERT INTO headrace.alert_deliveries (tenant_id, user_id, incident_id, event, channel,"
        " state, attempts, answer) VALUES (%s, 'ann', %s, 'alert.raised', '1 slack', 'failed', 9,"
        " 'It was answered with status 500.') RETURNING delivery_id",
        tenant,
        incident_id,
    )
    return str(made["delivery_id"])


def over(house: House, incident_id: str) -> None:
    house.execute(
        "UPDATE headrace.incidents SET over_at = now(), ended = 'Well again.'"
        " WHERE incident_id = %s",
        incident_id,
    )


def test_alerts_are_listed_taken_up_and_put_off(
    house: House, client: TestClient, problem: Problem
) -> None:
    """Covers A3.46: what is so now, or all there was, page by page."""
    ids = [incident(house, f"Number {one}.") for one in range(5)]
    over(house, ids[0])
    listed = client.get("/api/alerts").json()["items"]
    assert [one["incident_id"] for one in listed] == ids[:0:-1]
    assert listed[0]["said"] == "Number 4."
    seen: list[str] = []
    asked: dict[str, Any] = {"state": "all", "limit": 2}
    while asked.get("cursor") or not seen:
        page = client.get("/api/alerts", params=asked).json()
        seen += [one["incident_id"] for one in page["items"]]
        asked["cursor"] = page["next"]
    assert seen == ids[::-1]
    assert [one["incident_id"] for one in _items(client, state="over")] == ids[:1]
    assert _items(client, rule="stale") == []
    taken = client.post(f"/api/alerts/{ids[1]}/acknowledge").json()
    assert taken["acknowledged_by"] == "ann"
    assert taken["over_at"] is None
    assert client.post(f"/api/alerts/{ids[2]}/snooze", json={"hours": 1}).json()["snoozed_until"]
    assert client.get(f"/api/alerts/{ids[0]}").json()["ended"] == "Well again."
    for act in ("acknowledge", "snooze"):
        problem(client.post(f"/api/alerts/{ids[0]}/{act}"), 409)
        problem(client.post(f"/api/alerts/none/{act}"), 404)
    problem(client.post(f"/api/alerts/{ids[1]}/snooze", json={"hours": -1}), 422)


def _items(client: TestClient, **asked: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get("/api/alerts", params=asked).json()["items"]
    return found


def test_the_rules_say_whether_they_are_looked_at(client: TestClient) -> None:
    items = client.get("/api/alerts/rules").json()["items"]
    assert {one["rule"] for one in items} == set(rules())
    assert all(one["on"] and one["looked_at"] is None for one in items)


def test_what_channels_were_told_is_the_operators(
    house: House, client: TestClient, problem: Problem
) -> None:
    """Their own key sees it and sends it again; for any other there is nothing, and a 404."""
    number = delivery(house, incident(house))
    problem(client.get("/api/alerts/deliveries"), 404)
    problem(client.post(f"/api/alerts/deliveries/{number}/redeliver"), 404)
    operator = house.client("default", "me")
    [row] = operator.get("/api/alerts/deliveries").json()["items"]
    assert (row["channel"], row["state"], row["said"]) == ("1 slack", "failed", "It is broken.")
    again = operator.post(f"/api/alerts/deliveries/{number}/redeliver").json()
    assert (again["state"], again["attempts"], again["answer"]) == ("pending", 0, None)
    problem(operator.post("/api/alerts/deliveries/none/redeliver"), 404)


@pytest.fixture
def browser(house: House, nobody: TestClient) -> TestClient:
    """Signed in as the installation's own."""
    nobody.headers["Sec-Fetch-Site"] = "same-origin"
    assert nobody.post("/login", data={"key": house.key("default", "me")}).status_code == 200
    return nobody


def test_the_first_page_shows_what_is_wrong(house: House, browser: TestClient) -> None:
    """With what mends it and two buttons; what is put off, over, or another tenant's, it does not
    show. Words from outside are text."""
    mine: dict[str, Any] = {"tenant": "default", "user": "me"}
    ids = [incident(house, f"<b>Broken {one}</b>", **mine) for one in range(7)]
    incident(house, "A stranger's.")
    over(house, incident(house, "Long over.", **mine))
    page = browser.get("/").text
    assert page.count('id="alert-') == 5
    assert "&lt;b&gt;Broken 6&lt;/b&gt;" in page
    assert "<b>Broken" not in page
    assert '<a href="/sources/x">' in page
    assert "7 are open" in page
    assert "stranger" not in page
    assert "Long over" not in page
    for one in ids[1:]:
        browser.post(f"/alerts/{one}/snooze", data={"came": "/"})
    page = browser.post(f"/alerts/{ids[0]}/acknowledge", data={"came": "/"}).text
    assert "It is taken up" in page
    assert page.count('id="alert-') == 1
    assert "taken up by me" in page
    assert browser.post(f"/alerts/{ids[0]}/snooze", data={"came": "//evil.example"}).url.path == "/"


def test_the_page_of_alerts_has_what_was_and_who_was_told(
    house: House, browser: TestClient
) -> None:
    """And sends it again; whoever is not the operator sees no deliveries."""
    mine: dict[str, Any] = {"tenant": "default", "user": "me"}
    was = incident(house, "It was broken.", **mine)
    number = delivery(house, was, "default")
    over(house, was)
    page = browser.get("/alerts").text
    assert "It was broken." in page
    assert "Well again." in page
    assert "1 slack" in page
    assert "It was broken." not in browser.get("/alerts?state=open").text.split('id="rules"')[0]
    page = browser.post(f"/alerts/deliveries/{number}/redeliver").text
    assert "It is sent again to 1 slack." in page
    assert 'href="/alerts"' in browser.get("/system").text
    browser.cookies.clear()
    browser.post("/login", data={"key": house.key()})
    assert "1 slack" not in browser.get("/alerts").text
    assert browser.post(f"/alerts/deliveries/{number}/redeliver").status_code == 404
