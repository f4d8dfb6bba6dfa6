"""Coming back from the issuer: what was allowed, what was not, and where the browser goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

import pytest
from tests.api.consents.browser import ADA, CALENDAR, Browser
from tests.oauth.world import BOTH, SCOPES

if TYPE_CHECKING:
    from tests.api.conftest import Problem


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
    assert "<script>alert" not in answer.text
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
