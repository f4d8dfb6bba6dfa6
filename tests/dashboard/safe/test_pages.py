"""Every page there is, also one that is added later: nothing in it runs, nothing is fetched from
elsewhere, and what people wrote is shown as they wrote it."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.routing import APIRoute
from starlette.testclient import TestClient
from tests.api.conftest import House
from tests.dashboard.safe.conftest import EVIL, MARK, ODD, address, methods, opened
from tests.dashboard.safe.markup import Read

from headrace.dashboard.render import POLICY
from headrace.dashboard.routes import ROUTES

READ = [one for one in ROUTES if "GET" in methods(one) and not one.path.startswith("/live")]
PAGES = [one for one in READ if not one.path.startswith(("/static", "/attachments"))]


@pytest.mark.parametrize("route", PAGES, ids=lambda route: route.path)
def test_a_page_is_what_its_policy_says(
    ann: TestClient, things: dict[str, Any], route: APIRoute
) -> None:
    answer = ann.get(address(route, things))
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-security-policy"] == POLICY
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "same-origin"
    page = Read(answer.text)
    assert page.wrong == []
    assert {one["action"][:1] for one in page.forms} <= {"/"}
    assert {one.get("method", "get") for one in page.forms} <= {"get", "post"}


def test_the_policy_lets_no_script_be_in_a_page() -> None:
    """And nothing of another host: every source it names is this one, or none."""
    rules = dict(rule.split(" ", 1) for rule in POLICY.split("; "))
    assert {"default-src", "script-src", "style-src", "form-action", "frame-ancestors"} <= set(
        rules
    )
    assert set(rules.values()) == {"'self'", "'none'"}
    assert rules["default-src"] == rules["base-uri"] == rules["frame-ancestors"] == "'none'"


SHOWN = {
    "/": EVIL,
    "/sources/{connection_id}": EVIL,
    "/jobs": EVIL,
    "/jobs/{job_id}": EVIL,
    "/dead-letters": EVIL,
    "/dead-letters/{number}": EVIL,
    "/alerts": EVIL,
    "/contacts": EVIL,
    "/contacts/{contact_id}": EVIL,
    "/timeline": EVIL,
    "/calendar": EVIL,
    "/system": MARK,  # it says what reasons have in common
    "/records/{kind}/{stream_id}/{source_id:path}": EVIL,
    "/why/{kind}/{name:path}": ODD,
}
"""What has to be seen there, letter by letter: were it not, the test above would show nothing."""


@pytest.mark.parametrize("path", SHOWN)
def test_markup_is_shown_and_never_run(ann: TestClient, things: dict[str, Any], path: str) -> None:
    """Subjects, names, addresses, errors, reasons, file names, bytes."""
    [route] = [one for one in PAGES if one.path == path]
    page = Read(ann.get(address(route, things)).text)
    assert SHOWN[path] in page.shown
    assert "javascript:" not in "".join(page.addresses).lower()


def test_what_is_searched_for_is_shown_and_never_run(
    ann: TestClient, things: dict[str, Any]
) -> None:
    """As is what was found."""
    page = Read(ann.get("/search", params={"q": EVIL, "person": EVIL}).text)
    assert page.wrong == []
    found = Read(ann.get("/search", params={"q": "teapot"}).text)
    assert found.wrong == []
    assert MARK in found.shown
    for path in ("/documents", "/contacts", "/dead-letters", "/timeline", "/jobs"):
        for name in ("q", "reason", "stage", "kind", "status", "since"):
            assert Read(ann.get(path, params={name: EVIL}).text).wrong == [], (path, name)


def test_addresses_in_pages_lead_to_pages(ann: TestClient, things: dict[str, Any]) -> None:
    """Also those of files with a slash, a question mark or a percent sign in their names."""
    seen = set[str]()
    for route in PAGES:
        here = address(route, things)
        for there in Read(ann.get(here).text).addresses:
            if there.startswith("?"):
                there = here.partition("?")[0] + there
            if there.startswith("/") and not there.startswith(("/live", "/static")):
                seen.add(there)
    actions = {one.path for one in ROUTES if "POST" in methods(one)}
    for there in sorted(seen):
        answer = ann.get(there)
        if answer.status_code == 405:
            continue  # what a form sends
        assert answer.status_code == 200 or there in actions, (there, answer.status_code)
    assert len(seen) > 20


@pytest.mark.parametrize("route", READ, ids=lambda route: route.path)
def test_it_can_be_asked_for_its_head(
    ann: TestClient, things: dict[str, Any], route: APIRoute
) -> None:
    """As programs that check links do."""
    there = address(route, things)
    whole, head = ann.get(there), ann.head(there)
    assert head.status_code == whole.status_code == 200
    varies = {"content-length", "x-request-id"}
    assert set(head.headers) - varies == set(whole.headers) - varies


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"])
def test_other_methods_are_told_which_there_are(
    ann: TestClient, things: dict[str, Any], method: str
) -> None:
    for route in ROUTES:
        answer = ann.request(method, address(route, things))
        assert answer.status_code == 405, route.path
        assert methods(route) <= set(answer.headers["allow"].split(", ")), route.path
        assert Read(answer.text).wrong == []


def test_what_is_not_there_is_said_in_a_page(house: House, things: dict[str, Any]) -> None:
    """To a browser; a program is told the same as JSON."""
    client = opened(house)
    answer = client.get(f"/no/such<{EVIL}>")
    assert answer.status_code == 404
    page = Read(answer.text)
    assert page.wrong == []
    assert EVIL in page.shown
    assert answer.headers["content-security-policy"] == POLICY
    for path, accept in (("/no/such", "application/json"), ("/api/no/such", "text/html")):
        told = client.get(path, headers={"Accept": accept})
        assert told.headers["content-type"] == "application/problem+json"
