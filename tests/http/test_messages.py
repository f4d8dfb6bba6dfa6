"""Every error is one clear sentence with a hint, and no secret is in any."""

from __future__ import annotations

import base64
import logging
from typing import Any

import pytest

from headrace.errors import HeadraceError, NeedsHuman, Retry
from headrace.http import Answer, require_json
from headrace.http.answers import explanation, path_of

SECRET = "canary-4f9a81c2"


@pytest.mark.parametrize(
    ("code", "words", "reauth"),
    [
        (401, "The key was refused by 127.0.0.1", True),
        (403, "The key was refused by 127.0.0.1 for /events", False),
        (404, "127.0.0.1 has nothing at /events", False),
        (410, "127.0.0.1 has nothing at /events", False),
        (422, "127.0.0.1 refused the request for /events", False),
        (302, "127.0.0.1 redirects /events", False),
    ],
)
async def test_what_a_person_must_do(net: Any, code: int, words: str, reauth: bool) -> None:
    """Covers A3.49: the sentence says what happened, the hint what to do."""
    script = await net.serve(net.wire.status(code))

    with pytest.raises(NeedsHuman, match=words) as caught:
        await net.make(script.url).request("GET", "/events?x=1")

    assert caught.value.reauth is reauth
    assert caught.value.hint
    assert "?" not in caught.value.message


async def test_304_to_nobody(net: Any) -> None:
    """Covers H7: unchanged is no answer to a first question."""
    script = await net.serve(net.wire.raw(b"HTTP/1.1 304 Not Modified\r\n\r\n", "keep"))

    with pytest.raises(Retry, match="304"):
        await net.make(script.url, retries=0).request("GET", "/")

    answer = await net.make(script.url).request("GET", "/", allow={304})
    assert (answer.status, answer.body) == (304, b"")


@pytest.mark.parametrize("code", [302, 400, 401, 403, 404, 422, 429, 500])
async def test_a_secret_that_comes_back_is_not_shown(
    net: Any, code: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Covers O9, Logs: canary in header, query, body and location; in no message, hint, repr or
    log."""
    caplog.set_level(logging.DEBUG)
    password = base64.b64encode(f"user:{SECRET}".encode()).decode()
    body = f'{{"message":"bad key {SECRET}, {password} in /events?key={SECRET}"}}'.encode()
    script = await net.serve(net.wire.status(code, body, Location=f"/x?key={SECRET}"))
    client = net.make(
        script.url,
        headers={"Authorization": f"Basic {password}", "X-API-Key": SECRET},
        query={"key": SECRET},
        retries=0,
    )

    with pytest.raises(HeadraceError) as caught:
        await client.request("GET", "/events", params={"limit": "1"})

    shown = f"{caught.value} {caught.value!r} {caught.value.__cause__!r} {caplog.text} {client!r}"
    assert SECRET not in shown
    assert password not in shown
    assert script.requests[0].target == f"/events?limit=1&key={SECRET}"


async def test_the_answer_names_its_address_without_the_key(net: Any) -> None:
    """Covers O9: relative links are joined to that address, and cursors are stored."""
    script = await net.serve(net.wire.ok())

    answer = await net.make(script.url, query={"key": SECRET}).request("GET", "/events")

    assert answer.url == f"{script.url}/events"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"error":{"message":"no such label","code":3}}', ": no such label"),
        (b'{"errors":[{"detail":"bad limit."}]}', ": bad limit"),
        (b'{"error":"expired_cursor"}', ": expired_cursor"),
        (b'{"message":"two\\nlines\\u0007"}', ": two lines"),
        (b"<html>", ""),
        (b"", ""),
        (b"{", ""),
        (b"[" * 5000, ""),
        (b'{"message":"' + b"x" * 500 + b'"}', ": " + "x" * 197 + "..."),
        (b'{"message":"' + b"x" * 70_000 + b'"}', ""),
    ],
)
def test_what_they_said(body: bytes, expected: str) -> None:
    """Covers A2.36: the other side's own words, short and on one line."""
    assert explanation(body) == expected


def test_paths_only() -> None:
    """Covers O9: a query is never shown."""
    assert path_of("https://a.example/b/c?key=1#x") == "/b/c"
    assert path_of("https://a.example") == "/"


def page(body: bytes, type_: str | None) -> Answer:
    headers = {} if type_ is None else {"Content-Type": type_}
    return Answer(200, headers, body, "https://a.example/events", "a.example")


@pytest.mark.parametrize(
    ("body", "type_", "words", "after"),
    [
        (b"<!doctype html><title>Log in</title>", "text/html; charset=utf-8", "a web page", None),
        (b"<html>", "application/json", "a web page", None),
        (b"{}", "text/html", "a web page", None),
        (b"a,b\n", "text/csv", "text/csv", 60),
        (b"%PDF", "application/pdf", "application/pdf", 60),
        (b"", "application/json", "empty body", None),
        (b" \n", None, "empty body", None),
    ],
)
def test_a_200_that_holds_no_json(
    body: bytes, type_: str | None, words: str, after: float | None
) -> None:
    """Covers R9: a login page is not stored; what will not change is left alone (A2.36)."""
    with pytest.raises(Retry, match=words) as caught:
        require_json(page(body, type_))

    assert caught.value.after == after


@pytest.mark.parametrize(
    "type_", ["application/json", "application/vnd.api+json", "text/plain", None, "text/javascript"]
)
def test_json_under_many_names(type_: str | None) -> None:
    """Covers R9: servers name JSON in many ways."""
    require_json(page(b"{}", type_))
