"""Accounts that are connected again, or with more, or paused."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from tests.api.consents.browser import ADA, BOB, CALENDAR, Browser, keyed
from tests.oauth.world import BOTH, SCOPES

if TYPE_CHECKING:
    from tests.api.conftest import Problem


def reconnect(browser: Browser, name: str) -> str:
    """The address for connecting it again."""
    there = browser.connections()[name]["connection_id"]
    answer = browser.client.post(f"/api/connections/{there}/reconnect")
    assert answer.status_code == 201, answer.text
    return str(answer.json()["url"])


def as_account(address: str, account: str) -> str:
    """The same consent, at which the owner signs in as somebody."""
    place = urlsplit(address)
    asked = dict(parse_qsl(place.query)) | {"login_hint": account}
    return place._replace(query=urlencode(asked)).geturl()


def test_reconnecting_makes_it_active_and_keeps_the_rest(browser: Browser) -> None:
    """Covers O3: the same connection, its account hinted at; what shares its consent too."""
    browser.called(browser.connect(*BOTH, every_minutes=5))
    before = browser.connections()
    browser.house.execute("UPDATE headrace.connections SET health = 'needs_reauth'")
    address = reconnect(browser, f"gmail:{ADA}")
    asked = dict(parse_qsl(urlsplit(address).query))
    assert asked["login_hint"] == ADA
    assert set(asked["scope"].split()) == {*SCOPES["gmail"], *SCOPES[CALENDAR]}
    assert browser.called(address).status_code == 200
    after = browser.connections()
    assert {one["health"] for one in after.values()} == {"active"}
    for name, one in before.items():
        assert after[name]["connection_id"] == one["connection_id"]
        assert after[name]["every_seconds"] == 300


def test_reconnecting_as_somebody_else_changes_nothing(browser: Browser) -> None:
    """It says whose it is, and every row is as it was."""
    browser.called(browser.connect())
    tables = ("connections", "grants")

    def rows() -> list[Any]:
        return [browser.house.execute(f"SELECT * FROM headrace.{one}") for one in tables]

    before = rows()
    answer = browser.called(as_account(reconnect(browser, f"gmail:{ADA}"), BOB))
    assert answer.status_code == 400
    assert f"The connection gmail:{ADA} is of {ADA}, not of {BOB}." in answer.text
    assert "Sign in as that account" in answer.text
    assert rows() == before


def test_another_connection_of_an_account_keeps_the_first(browser: Browser) -> None:
    """Covers O7: a calendar connected later, mail is still read."""
    browser.called(browser.connect("gmail"))
    browser.called(browser.connect(CALENDAR))
    assert len(browser.house.execute("SELECT * FROM headrace.grants")) == 1
    for one in browser.house.execute("SELECT * FROM headrace.connections"):
        [outcome, *_] = browser.world.sync(one)
        assert outcome.state == "done", outcome


def test_what_is_no_longer_allowed_says_so(browser: Browser) -> None:
    """Covers O7: connected again without a box that was ticked the first time."""
    browser.called(browser.connect(*BOTH))
    browser.ticks("gmail")
    browser.called(browser.connect("gmail"))
    made = browser.connections()
    assert made[f"gmail:{ADA}"]["health"] == "active"
    other = made[f"{CALENDAR}:{ADA}"]
    assert other["health"] == "needs_reauth"
    assert "was not allowed" in other["health_reason"]


def test_two_accounts_of_one_user_have_a_grant_each(browser: Browser) -> None:
    """What opens one is not what opens the other."""
    browser.called(browser.connect(login_hint=ADA))
    browser.called(browser.connect(login_hint=BOB))
    grants = browser.house.execute("SELECT account, grant_id FROM headrace.grants")
    assert {row["account"] for row in grants} == {ADA, BOB}
    rows = browser.house.execute("SELECT * FROM headrace.connections")
    tokens = {asyncio.run(browser.world.keeper(row).token()) for row in rows}
    assert len(tokens) == 2


def test_one_that_waits_for_approval_is_not_due(browser: Browser) -> None:
    """Covers A3.18: not at once, and not after connecting it again either."""
    browser.called(browser.connect(approve=True))
    for _ in range(2):
        [one] = browser.connections().values()
        assert one["health"] == "paused"
        assert "approval" in one["health_reason"]
        browser.called(reconnect(browser, f"gmail:{ADA}"))


def test_pausing_resuming_and_how_often(browser: Browser, problem: Problem) -> None:
    """Covers A0.22: by PATCH; what is left out stays; strangers find nothing."""
    browser.called(browser.connect())
    [one] = browser.connections().values()
    there = f"/api/connections/{one['connection_id']}"

    def patch(**changes: Any) -> dict[str, Any]:
        answer = browser.client.patch(there, json=changes)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    assert patch(paused=True)["health"] == "paused"
    assert patch(every_minutes=2)["every_seconds"] == 120
    assert patch() == browser.connections()[one["name"]]
    assert patch()["health"] == "paused"
    again = patch(paused=False)
    assert (again["health"], again["health_reason"], again["every_seconds"]) == (
        "active",
        None,
        120,
    )
    assert patch(every_minutes=None)["every_seconds"] is None
    problem(browser.client.patch(there, json={"every_minutes": 0}), 422)
    problem(keyed(browser.house, "other", "zoe").patch(there, json={"paused": True}), 404)
    assert browser.connections()[one["name"]]["health"] == "active"


def test_a_consent_without_a_refresh_token_keeps_the_one_before(browser: Browser) -> None:
    """Covers O4: Google sends one at the first consent, and then only to who asks for it."""
    browser.called(browser.connect())
    place = urlsplit(reconnect(browser, f"gmail:{ADA}"))
    asked = dict(parse_qsl(place.query))
    del asked["prompt"]
    address = place._replace(query=urlencode(asked)).geturl()
    assert browser.called(address).status_code == 200
    [row] = browser.house.execute("SELECT * FROM headrace.connections")
    access = asyncio.run(browser.world.keeper(row).token())
    assert asyncio.run(browser.world.keeper(row).token(access)) != access
