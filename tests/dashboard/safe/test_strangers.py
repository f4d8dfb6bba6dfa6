"""Every id of the dashboard in the hands of somebody else; every form in those of another site."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.api.conftest import House
from tests.dashboard.safe.conftest import MARK, address, fields, filled, methods, opened, signed_in

from headrace.dashboard.routes import ROUTES

OPEN = ("/login", "/welcome", "/logout", "/static")
NAMED = [one for one in ROUTES if "{" in one.path and not one.path.startswith(OPEN)]
ACTS = [one for one in ROUTES if "POST" in methods(one)]

STRANGERS = [("other", "ann", None), ("other", "zoe", "ann"), ("acme", "bob", "bob")]
TABLES = (
    "jobs",
    "connections",
    "schedules",
    "dead_letters",
    "contact_links",
    "contact_identities",
    "incidents",
)


def everything(house: House) -> list[Any]:
    """All that could have been changed."""
    return [house.execute(f"SELECT * FROM headrace.{one} ORDER BY 1, 2, 3") for one in TABLES]


@pytest.mark.parametrize("who", STRANGERS)
def test_an_id_of_somebody_else_is_not_there(
    house: House, things: dict[str, Any], who: tuple[str, str, str | None]
) -> None:
    """Every page, its news and every form: 404, never 403, which would tell that it exists; and
    nothing changes. A key that is narrowed to a user is a stranger to the others' rows."""
    client, before = signed_in(house, house.key(*who)), everything(house)
    for route in NAMED:
        for method in methods(route) - {"HEAD"}:
            there = address(route, things)
            data = fields(things) if method == "POST" else None
            answer = client.request(method, there, data=data)
            assert answer.status_code == 404, (method, there, answer.text)
            assert MARK not in answer.text
    assert everything(house) == before


@pytest.mark.parametrize("who", STRANGERS)
def test_ids_in_forms_of_somebody_else_do_nothing(
    house: House, things: dict[str, Any], who: tuple[str, str, str | None]
) -> None:
    client, before = signed_in(house, house.key(*who)), everything(house)
    form = fields(things)
    assert client.post("/contacts/merge", data=form).status_code == 404
    for act in ("cancel", "retry"):
        assert client.post("/jobs/several", data=form | {"act": act}).status_code in (303, 404)
    assert everything(house) == before


@pytest.mark.parametrize("who", STRANGERS)
def test_pages_of_somebody_else_show_nothing(
    house: House, things: dict[str, Any], who: tuple[str, str, str | None]
) -> None:
    """Listings, search, and what the system page counts."""
    client = signed_in(house, house.key(*who))
    asked = {"q": "teapot", "contact": things["contact_id"]}
    for route in ROUTES:
        if "GET" in methods(route) and not route.path.startswith(("/live", *OPEN)):
            for params in ({}, asked):
                answer = client.get(address(route, things), params=params)
                if answer.status_code != 404:
                    for told in (MARK, things["connection_id"], things["job_id"]):
                        assert told not in answer.text, route.path


@pytest.mark.parametrize("key_user", [None, "ann"])
def test_its_owner_finds_every_one_and_may_do_everything(own: House, key_user: str | None) -> None:
    """The requests above fail for whose they are, and for no other reason."""
    things = filled(own)
    client = signed_in(own, own.key(key_user=key_user))
    for route in NAMED:
        if "GET" in methods(route) and not route.path.startswith("/live"):
            assert client.get(address(route, things)).status_code == 200, route.path
    # An answer is undone before others are given, and what takes something away comes last.
    undo = [one for one in NAMED if one.path.endswith("/undo")]
    away = [one for one in NAMED if one.path.endswith(("/remove", "/drop"))]
    between = [one for one in NAMED if one not in undo + away]
    for route in [*undo, *between, *away]:
        if route.path.startswith("/alerts/deliveries"):
            continue  # the operator's, whoever's the alert is
        if "POST" in methods(route):
            answer = client.post(address(route, things), data=fields(things))
            assert answer.status_code in (200, 303), (route.path, answer.text)


def test_the_system_page_of_a_key_without_rights(own: House) -> None:
    """Workers, queues and sizes are for whoever has the installation; a key narrowed to a user, or
    of another tenant, sees its own alone."""
    for who, sees in ((("default", "me", None), True), (("default", "me", "me"), False)):
        page = signed_in(own, own.key(*who)).get("/system").text
        assert ('id="workers"' in page) is sees


def test_without_a_session_there_is_nothing(house: House, things: dict[str, Any]) -> None:
    """Every page and form leads to where one signs in, whatever else is wrong with it."""
    before = everything(house)
    for cookie in ("", "headrace_session=wrong"):
        client = opened(house)
        client.headers["Cookie"] = cookie
        for route in ROUTES:
            if route.path.startswith(OPEN):
                continue
            for method in methods(route):
                for there in (address(route, things), "/jobs?status=nonsense"):
                    if method == "POST" and "?" in there:
                        continue
                    answer = client.request(method, there)
                    assert answer.status_code == 303, (method, there)
                    assert answer.headers["location"].startswith("/login?next=/")
                    assert answer.content == b""
    assert everything(house) == before


FOREIGN: list[dict[str, str | None]] = [
    {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
    {"Sec-Fetch-Site": "same-site", "Origin": "http://other.testserver"},
    {"Sec-Fetch-Site": "none"},
    {"Sec-Fetch-Site": "", "Origin": "http://testserver"},
    {"Sec-Fetch-Site": None, "Origin": "https://evil.example"},
    {"Sec-Fetch-Site": None, "Origin": "http://testserver.evil.example"},
    {"Sec-Fetch-Site": None, "Origin": "http://testserver:81"},
    {"Sec-Fetch-Site": None, "Origin": "null"},
    {"Sec-Fetch-Site": None, "Origin": "http://["},
    {"Sec-Fetch-Site": None},
    {"Sec-Fetch-Site": None, "Host": "", "Origin": ""},
]


@pytest.mark.parametrize("headers", FOREIGN)
def test_a_form_of_another_site_is_refused(
    house: House, things: dict[str, Any], headers: dict[str, str | None]
) -> None:
    """Covers CSRF: whoever is signed in here, and is on a page there."""
    client, before = signed_in(house, house.key()), everything(house)
    for name, value in headers.items():
        client.headers.pop(name, None)
        if value is not None:
            client.headers[name] = value
    for route in ACTS:
        answer = client.post(address(route, things), data=fields(things))
        assert answer.status_code == 403, route.path
        assert "set-cookie" not in answer.headers
        assert "Open the dashboard" in answer.text
    assert everything(house) == before


def test_a_browser_that_says_only_its_origin_may_send_our_forms(house: House) -> None:
    """Over plain http, from another machine, browsers say no more than that."""
    for origin in ("http://testserver", "https://testserver"):
        client = opened(house)
        del client.headers["Sec-Fetch-Site"]
        client.headers["Origin"] = origin
        assert client.post("/login", data={"key": house.key()}).status_code == 303


def test_a_session_opens_no_api(ann: TestClient) -> None:
    """Programs send a key. So no site can have a browser call the API with its cookie."""
    for path in ("/api/jobs", "/api/search?q=x", "/openapi.json", "/ingestion/jobs/x"):
        assert ann.get(path).status_code == 401
    assert ann.post("/api/jobs/runner").status_code == 401
