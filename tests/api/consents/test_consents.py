"""Connecting accounts over HTTP: who is asked for what, and who may finish it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from tests.accounts import VAULT
from tests.api.consents.browser import ADA, CALENDAR, CALLBACK, Browser, keyed
from tests.oauth.world import BOTH, SCOPES

from headrace.errors import NeedsHuman

if TYPE_CHECKING:
    from tests.api.conftest import Problem


def test_an_account_is_connected(browser: Browser) -> None:
    """Covers A0.22: asked for once, named by its account, due at once."""
    address = browser.connect(*BOTH)
    asked = dict(parse_qsl(urlsplit(address).query))
    assert asked["scope"].split() == SCOPES["gmail"] + SCOPES[CALENDAR]
    assert (asked["code_challenge_method"], asked["access_type"]) == ("S256", "offline")
    assert asked["redirect_uri"] == f"http://127.0.0.1{CALLBACK}"
    answer = browser.called(address)
    assert answer.status_code == 200
    assert f"Connected: gmail:{ADA}, {CALENDAR}:{ADA}." in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    made = browser.connections()
    assert set(made) == {f"gmail:{ADA}", f"{CALENDAR}:{ADA}"}
    for one in made.values():
        assert (one["account"], one["health"], one["every_seconds"]) == (ADA, "active", 900)
        assert one["next_sync_at"] is not None


def test_a_state_is_good_once(browser: Browser, problem: Problem) -> None:
    """Whoever comes second finds nothing, also when all come at once."""
    said = browser.back(browser.connect())
    with ThreadPoolExecutor(6) as threads:
        codes = list(threads.map(lambda _: browser.returns(said).status_code, range(6)))
    assert sorted(codes) == [200, *[400] * 5]
    again = browser.client.post("/api/connections/finish", json={"state": said["state"]})
    told = problem(again, 422)
    assert told["detail"] == "Nobody is waiting for this consent."
    assert len(browser.connections()) == 1
    assert browser.world.calls() == 1


@pytest.mark.parametrize(("seconds", "status"), [(590, 200), (601, 400)])
def test_a_state_is_good_for_ten_minutes(browser: Browser, seconds: int, status: int) -> None:
    """By the database's clock; what is too old goes."""
    said = browser.back(browser.connect())
    browser.house.execute(
        "UPDATE headrace.consents SET created_at = created_at - make_interval(secs => %s)", seconds
    )
    assert browser.returns(said).status_code == status
    assert browser.house.execute("SELECT * FROM headrace.consents") == []


def test_nobody_else_finishes_it(browser: Browser, problem: Problem) -> None:
    """Not another tenant's key, nor another user's; and then it is still good."""
    said = browser.back(browser.connect(redirect_uri="http://127.0.0.1:9/app"))
    body = {"state": said["state"], "code": said["code"]}
    for who in [("other", "zoe"), ("acme", "bob", "bob")]:
        stranger = keyed(browser.house, *who)
        problem(stranger.post("/api/connections/finish", json=body), 422)
    answer = browser.client.post("/api/connections/finish", json=body)
    assert answer.status_code == 200, answer.text


def test_a_user_s_key_connects_for_nobody_else(browser: Browser, problem: Problem) -> None:
    """A tenant's key does."""
    body = {"providers": ["gmail"], "user_id": "bob"}
    ann = keyed(browser.house, "acme", "ann", "ann")
    problem(ann.post("/api/connections/connect", json=body), 404)
    assert browser.called(browser.connect(user_id="bob")).status_code == 200
    [one] = browser.connections().values()
    assert one["user_id"] == "bob"


def test_the_verifier_opens_by_the_state_alone(browser: Browser) -> None:
    """Covers O9: what is kept is sealed to a state that is not kept."""
    state = browser.back(browser.connect())["state"]
    [row] = browser.house.execute("SELECT * FROM headrace.consents")
    assert state not in str(row)
    for bound in ("", "consent:", f"consent:{state}"):
        with pytest.raises(NeedsHuman):
            VAULT.open(row["verifier"], tenant="acme", connection=bound)
    from headrace.oauth.consent import returned

    verifier = returned(browser.world.database, VAULT, state).verifier
    assert len(verifier) >= 43
    assert verifier.encode() not in bytes(row["verifier"])


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"providers": ["gmial"]}, "There is no provider 'gmial'."),
        ({"providers": ["mailbox"]}, "has no accounts to connect"),
        ({"providers": ["gmail"], "config": {"gmail": {"x": 1}}}, "gmail cannot be configured so"),
        ({"providers": ["gmail"], "config": {CALENDAR: {}}}, "which is not asked for"),
    ],
)
def test_what_cannot_be_connected_is_said_at_once(
    browser: Browser, problem: Problem, body: dict[str, Any], words: str
) -> None:
    """Before anybody is sent anywhere."""
    told = problem(browser.client.post("/api/connections/connect", json=body), 422)
    assert words in told["detail"]
    assert browser.house.execute("SELECT * FROM headrace.consents") == []
