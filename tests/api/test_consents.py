"""Connecting accounts over HTTP: a browser is sent to the issuer and comes back."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit
from urllib.request import Request as Ask

import pytest
from starlette.testclient import TestClient
from tests.accounts import VAULT
from tests.oauth.world import BOTH, SCOPES, World, served, staying

from headrace.api import create_app
from headrace.errors import NeedsHuman
from headrace.store.database import Database

if TYPE_CHECKING:
    from tests.api.conftest import House, Problem

CALENDAR = "google_calendar"
CALLBACK = "/connections/callback"


class Browser:
    """The account's owner at the issuer, and back again."""

    def __init__(self, world: World, house: House, client: TestClient) -> None:
        self.world = world
        self.house = house
        self.client = client

    def connect(self, *providers: str, **more: Any) -> str:
        """The address at the issuer."""
        body = {"providers": list(providers or ["gmail"]), **more}
        answer = self.client.post("/api/connections/connect", json=body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["url"])

    def visit(self, address: str) -> str:
        """Where the issuer sends the browser."""
        return staying(Ask(address))

    def back(self, address: str) -> dict[str, str]:
        """What the issuer adds to the redirect address."""
        return dict(parse_qsl(urlsplit(self.visit(address)).query))

    def called(self, address: str) -> Any:
        """What the callback answers to a browser, which has no key."""
        return self.returns(self.back(address))

    def returns(self, said: dict[str, str]) -> Any:
        """The same, with any parameters."""
        nobody = TestClient(self.client.app, raise_server_exceptions=False)
        return nobody.get(CALLBACK, params=said, follow_redirects=False)

    def ticks(self, *providers: str, account: str = "") -> None:
        """What the owner allows from now on."""
        scopes = [scope for name in providers for scope in SCOPES[name]]
        self.world.ask("/admin/consent", {"scopes": scopes, "account": account})

    def connections(self) -> dict[str, dict[str, Any]]:
        """Every connection by its name."""
        items = self.client.get("/api/connections").json()["items"]
        return {one["name"]: one for one in items}


ADA, BOB = "ada@example.com", "bob@example.com"


@pytest.fixture
def world(store: Database) -> Iterator[World]:
    """A twin with two accounts."""
    made = World(store, account=[ADA, BOB])
    with served(made.handle) as url:
        made.url = url
        yield made


@pytest.fixture
def house(store: Database, world: World) -> Iterator[House]:
    """The API, whose Google is the twin."""
    from tests.api.conftest import House

    app = create_app(store, world.settings)
    with TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False) as client:
        yield House(store, client)


@pytest.fixture
def browser(world: World, house: House) -> Browser:
    """Ann's."""
    return Browser(world, house, keyed(house))


def keyed(house: House, *who: str) -> TestClient:
    """A client with a key, at the address that this machine is redirected to."""
    made = house.client(*who)
    made.base_url = "http://127.0.0.1"
    return made


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


def test_a_box_that_was_not_ticked(browser: Browser) -> None:
    """Covers O7: what was allowed is connected, and the other is told."""
    address = browser.connect(*BOTH, redirect_uri="http://127.0.0.1:9/app")
    browser.ticks("gmail")
    said = browser.back(address)
    finish = {name: said[name] for name in ("state", "code")}
    answer = browser.client.post("/api/connections/finish", json=finish)
    assert answer.status_code == 200, answer.text
    assert [one["provider"] for one in answer.json()["connections"]] == ["gmail"]
    assert answer.json()["refused"] == {CALENDAR: "It was not allowed: its box was not ticked."}
    assert set(browser.connections()) == {f"gmail:{ADA}"}


def test_of_two_none_was_ticked(browser: Browser) -> None:
    """Covers O7: nothing is connected, and the sentence says what to do."""
    address = browser.connect("gmail")
    # Allowed is what nobody wants: what Google calls it when all boxes are left as they are.
    browser.world.says(
        {"access_token": "ya29.x", "expires_in": 9, "scope": " ".join(SCOPES[CALENDAR])}
    )
    answer = browser.called(address)
    assert answer.status_code == 400
    assert "Reading gmail was not allowed. Connect again, and tick the boxes" in answer.text
    assert browser.connections() == {}


def test_an_issuer_that_says_nothing_of_what_was_allowed(browser: Browser) -> None:
    """Covers O7: then the API itself says what is missing, and nothing is connected either."""
    address = browser.connect(*BOTH)
    browser.ticks()
    answer = browser.called(address)
    assert answer.status_code == 400
    assert "Gmail was not allowed" in answer.text
    assert browser.connections() == {}
    assert browser.house.execute("SELECT * FROM headrace.grants") == []


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


@pytest.mark.parametrize("field", ["state", "code"])
def test_what_was_not_given_by_the_issuer_is_worth_nothing(browser: Browser, field: str) -> None:
    """A state or a code of one's own."""
    said = browser.back(browser.connect()) | {field: "x" * 40}
    assert browser.returns(said).status_code == 400
    assert browser.connections() == {}


def test_a_code_of_another_consent_is_refused(browser: Browser) -> None:
    """The verifier belongs to one of them (RFC 7636)."""
    first = browser.back(browser.connect())
    second = browser.back(browser.connect())
    answer = browser.returns({"state": second["state"], "code": first["code"]})
    assert answer.status_code == 400
    assert "Invalid code verifier" in answer.text
    assert browser.connections() == {}


def test_the_redirect_address_is_the_same_both_times(browser: Browser) -> None:
    """The twin refuses a code that is exchanged with another address than it was
    asked with, and one that was asked for by the application comes back to it."""
    there = "http://127.0.0.1:9/app?tab=mail"
    place = browser.visit(browser.connect(redirect_uri=there))
    assert place.startswith(f"{there}&code=")
    said = dict(parse_qsl(urlsplit(place).query))
    body = {name: said[name] for name in ("state", "code")}
    answer = browser.client.post("/api/connections/finish", json=body)
    assert answer.status_code == 200, answer.text


RETURNS = ["https://app.test/done", "https://app.test/done?a=1", "https://app.test/#/accounts"]


@pytest.mark.parametrize("return_to", RETURNS)
def test_the_browser_goes_on_to_the_application(browser: Browser, return_to: str) -> None:
    """With what was connected and what was not."""
    address = browser.connect(*BOTH, return_to=return_to)
    browser.ticks("gmail")
    answer = browser.called(address)
    assert answer.status_code == 303
    place, asked = urlsplit(answer.headers["location"]), urlsplit(return_to)
    [one] = browser.connections().values()
    told = dict(parse_qsl(place.query))
    assert told.items() >= dict(parse_qsl(asked.query)).items()
    assert (told["connected"], told["refused"]) == (one["connection_id"], CALENDAR)
    assert (place.netloc, place.path, place.fragment) == (asked.netloc, asked.path, asked.fragment)


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("denied", "The consent was declined."),
        ("code", "no longer accepts this account's consent: Malformed auth code."),
        ("unticked", "Reading gmail was not allowed."),
        ("away", "in trouble"),
    ],
)
def test_the_application_hears_of_every_failure(browser: Browser, what: str, words: str) -> None:
    """Covers O7, O8: by error=, whatever went wrong, and nothing is connected."""
    address = browser.connect(return_to="https://app.test/done")
    if what == "denied":
        browser.world.ask("/admin/consent", {"deny": True})
    said = browser.back(address)
    if what == "code":
        said["code"] = "4/0nothing"
    elif what == "unticked":
        browser.world.says({"access_token": "ya29.x", "scope": "openid"})
    elif what == "away":
        browser.world.says({}, 503)
    answer = browser.returns(said)
    assert answer.status_code == 303
    told = dict(parse_qsl(urlsplit(answer.headers["location"]).query))
    assert words in told["error"]
    assert set(told) == {"error"}
    assert browser.connections() == {}


def test_the_callback_s_page_shows_text_and_no_markup(browser: Browser) -> None:
    """Whatever stands in the address."""
    state = browser.back(browser.connect())["state"]
    answer = browser.returns({"state": state, "error": "<script>alert(1)</script>\x00"})
    assert answer.status_code == 400
    assert answer.headers["content-type"].startswith("text/html")
    assert "<script" not in answer.text
    assert "&lt;script&gt;" in answer.text
    assert browser.returns({}).status_code == 400
    assert browser.returns({"state": "x" * 501}).status_code == 422


@pytest.mark.parametrize("address", ["javascript:alert(1)", "//evil.test", "/here", "ftp://x.test"])
def test_a_browser_is_sent_to_web_addresses_only(
    browser: Browser, problem: Problem, address: str
) -> None:
    """Not to scripts, nor to wherever a browser makes of it."""
    body = {"providers": ["gmail"], "return_to": address}
    told = problem(browser.client.post("/api/connections/connect", json=body), 422)
    assert "not a web address" in told["detail"]


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
