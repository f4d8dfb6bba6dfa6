"""What nobody would type: a page that says what to do, never one that says we have a bug."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.testclient import TestClient
from tests.api.conftest import House
from tests.dashboard.safe.conftest import address, fields, methods, opened, signed_in
from tests.dashboard.safe.markup import Read

from headrace.dashboard.routes import ROUTES
from headrace.store.cursor import cursor

PAGES = [one for one in ROUTES if "HEAD" in methods(one)]
NAMED = [one for one in PAGES if "{" in one.path and "static" not in one.path]

ODD = (
    "\0",
    "x" * 8192,
    "9" * 5000,
    "-1",
    "99999999999999999999999",
    "1e999",
    "nonsense",
    "0001-01-01",
    "9999-12-31T23:59:59-14:00",
    "%",
    "\u202e\ufeff\U0001f600",
    "[" * 8000,
    cursor("2026-01-01T00:00:00Z", "a", 1),
    cursor(None, None),
    cursor(10**30),
    cursor("9999-12-31T23:59:59Z", "00000000-0000-0000-0000-000000000000"),
    "00000000-0000-0000-0000-000000000000",
)


def held(answer: Any, there: str) -> None:
    """It is a page, of what was asked for or of what is wrong with that, and says what to do."""
    assert answer.status_code in (200, 401, 404, 422), (there[:200], answer.status_code)
    page = Read(answer.text)
    assert page.wrong == []
    if answer.status_code != 200:
        assert 'class="hint"' in answer.text, there[:200]
        # What was written into a form stays in it.
        assert len(page.shown) < (20_000 if "<textarea" in answer.text else 4000), there[:200]


def questions(route: APIRoute) -> list[str]:
    """What the address of a page may say."""
    return [one.alias for part in parts(route.dependant) for one in part.query_params]


def parts(of: Dependant) -> Iterator[Dependant]:
    """A view, and what it depends on."""
    yield of
    for one in of.dependencies:
        yield from parts(one)


@pytest.mark.parametrize("route", PAGES, ids=lambda route: route.path)
def test_odd_questions(ann: TestClient, things: dict[str, Any], route: APIRoute) -> None:
    here = address(route, things)
    for name in [*questions(route), "utm_source"]:
        for odd in ODD:
            held(ann.get(here, params={name: odd}), f"{here}?{name}={odd}")
    raw = f"{here}?%FF%FE=%C3%28&=&&a=1&a=2&" + "&".join(
        f"{name}=%ED%A0%80" for name in questions(route)
    )
    held(ann.get(raw), raw)


@pytest.mark.parametrize("route", NAMED, ids=lambda route: route.path)
def test_odd_names(ann: TestClient, things: dict[str, Any], route: APIRoute) -> None:
    for name in route.param_convertors:
        for odd in ODD:
            own = things | {name: odd}
            path = route.path.replace("{kind}", "messages" if "records" in route.path else "event")
            for each, convertor in route.param_convertors.items():
                del convertor
                path = path.replace(f"{{{each}:path}}", quote(str(own.get(each, "x")), safe=""))
                path = path.replace(f"{{{each}}}", quote(str(own.get(each, "x")), safe=""))
            held(ann.get(path), path)


def test_odd_forms(ann: TestClient, things: dict[str, Any]) -> None:
    """Every field of every form, one after the other."""
    for route in ROUTES:
        if "POST" not in methods(route) or route.path == "/logout":
            continue
        here = address(route, things | {"connection_id": "gone", "job_id": "gone", "number": 0})
        for param in route.dependant.body_params:
            for odd in ("\0", "x" * 8192, "-1", "9" * 5000, ""):
                answer = ann.post(here, data=fields({**things}) | {param.alias: odd})
                if answer.status_code not in (303, 200):
                    held(answer, f"{here} {param.alias}")


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", "multipart/form-data; boundary=x"),
        (b"--y\r\n\r\n", "multipart/form-data; boundary=x"),
        (b"{}", "application/json"),
        (b"\xff\xfe%%%=&=", "application/x-www-form-urlencoded"),
        (b"&".join([b"a=1"] * 5000), "application/x-www-form-urlencoded"),
    ],
)
def test_what_is_no_form(house: House, content: bytes, kind: str) -> None:
    answer = opened(house).post("/login", content=content, headers={"Content-Type": kind})
    assert answer.status_code in (400, 401)
    assert 'class="hint"' in answer.text


def test_a_body_that_is_too_large(house: House) -> None:
    answer = opened(house).post("/login", data={"key": "x" * (1 << 21)})
    assert answer.status_code == 413
    assert "1,048,576 bytes" in Read(answer.text).shown


def test_odd_cookies(house: House) -> None:
    """They open nothing, and break nothing."""
    for odd in (
        "headrace_session=" + "x" * 9000,
        "headrace_session=%FF%00",
        "=;;=a",
        "headrace_said=%FF",
    ):
        client = opened(house)
        client.headers["Cookie"] = odd
        assert client.get("/").status_code == 303
        assert client.get("/login").status_code == 200
    client = signed_in(house, house.key())
    client.cookies.set("headrace_said", quote("<script>alert()</script>"))
    page = Read(client.get("/").text)
    assert page.wrong == []
    assert "<script>alert()</script>" in page.shown


@pytest.mark.parametrize("host", ["[", "a:b", "a:99999999", "", "evil.example/x?y#z", "a@b"])
def test_odd_hosts(house: House, host: str) -> None:
    client = opened(house)
    for path in ("/", "/login", "/no/such", "/connect"):
        assert client.get(path, headers={"Host": host}).status_code in (200, 303, 400, 404), path


def test_what_an_action_says_fits_into_a_cookie(house: House) -> None:
    """Browsers throw away what is longer than 4096 bytes."""
    from headrace.dashboard.said import back

    for text in ("\U0001f600" * 2000, "é" * 2000, "a, b; c" * 2000):
        assert len(back("/", text).headers["set-cookie"]) < 4096
