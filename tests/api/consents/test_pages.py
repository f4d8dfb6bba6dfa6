"""An account that is connected on a page of the dashboard: only the browser that began ends it."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

import pytest
from starlette.testclient import TestClient
from tests.api.consents.browser import ADA, CALLBACK, Browser

if TYPE_CHECKING:
    from tests.api.conftest import House


def signed_in(browser: Browser, key: str) -> TestClient:
    """A browser that this key has signed in to the dashboard."""
    made = TestClient(browser.client.app, base_url="http://127.0.0.1", follow_redirects=False)
    made.headers.update({"Sec-Fetch-Site": "same-origin", "Accept": "text/html"})
    assert made.post("/login", data={"key": key}).status_code == 303
    return made


def begun(page: TestClient) -> str:
    """The issuer's address that the page sends its browser to."""
    answer = page.post("/connect", data={"provider": "gmail"})
    [there] = re.findall(r'href="(http[^"]+)"', answer.text)
    return html.unescape(there)


def test_whoever_began_it_ends_it(browser: Browser, house: House) -> None:
    page = signed_in(browser, house.key())
    said = browser.back(begun(page))
    answer = page.get(CALLBACK, params=said)
    assert answer.status_code == 303
    assert list(browser.connections()) == [f"gmail:{ADA}"]


@pytest.mark.parametrize(
    "who", [None, ("other", "zoe", None), ("acme", "bob", "bob"), ("other", "ann", "ann")]
)
def test_nobody_else_does(
    browser: Browser, house: House, who: tuple[str, str, str | None] | None
) -> None:
    """Covers RFC 9700: somebody is sent an address that another has begun with, and says yes. Their
    account does not become the other's."""
    there = begun(signed_in(browser, house.key()))
    said = browser.back(there)
    victim = signed_in(browser, house.key(*(who or ("acme", "ann", None))))
    if who is None:
        victim.cookies.clear()
    answer = victim.get(CALLBACK, params=said)
    assert "is%20not%20signed%20in" in answer.headers["set-cookie"]
    assert browser.connections() == {}
