"""A 200 is not success, and a refusal is not always final."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web

from headrace.errors import Expired, NeedsHuman, Retry

AT = {"at": {"cursor": "old"}}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"data":{"id":1}}', "no array of records in data, items, results, records"),
        (b'{"data":null}', "no array of records"),
        (b'{"data":"x","hasMore":false}', "its answer is an object with data, hasMore"),
        (b'{"rows":[]}', "an object with rows"),
        (b"{}", "an empty object"),
        (b"null", "not an object"),
        (b'"text"', "not an object"),
        (b"true", "not an object"),
        (b"7", "not an object"),
        (b'{"data":[],"hasMore":"perhaps"}', "neither true nor false"),
    ],
)
async def test_a_200_that_is_no_page(api: Any, body: bytes, words: str) -> None:
    """Covers R9, A2.36: object for array, null, text: said exactly, and tried again later."""
    rest = api.rest(await api.always(body))

    with pytest.raises(Retry, match=words) as caught:
        await rest.fetch("events", "", None)

    assert caught.value.after == 60
    assert len(api.requests) == 1


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"error":"backend timed out"}', "backend timed out"),
        (b'{"error":{"message":"no","code":1},"data":[]}', "with an error: no"),
        (b'{"errors":[{"message":"rate limited","type":"RATE_LIMITED"}],"data":null}', "rate lim"),
        (b'{"errors":[{"message":"partial"}],"data":[{"id":1}]}', "partial"),
        (b'{"error":{"retryable":true}}', "it does not say which"),
        (b"", "empty body"),
        (b"<html><body>Log in</body></html>", "a web page"),
    ],
)
async def test_a_200_that_says_it_failed(api: Any, body: bytes, words: str) -> None:
    """Covers R9, H11: error objects, GraphQL errors beside data, HTML, empty: a failed attempt."""
    rest = api.rest(await api.always(body))

    with pytest.raises(Retry, match=f"{words}.*after 6 attempts"):
        await rest.fetch("events", "", None)

    assert len(api.requests) == 6


async def test_an_array_where_an_object_was_declared(api: Any) -> None:
    """Covers R9: array for object."""
    rest = api.rest(await api.always(b'[{"id":1}]'), records="data.items")

    with pytest.raises(Retry, match=r"no array of records at data\.items: its answer is an array"):
        await rest.fetch("events", "", None)


@pytest.mark.parametrize(
    "empty", [b'"error":null', b'"error":""', b'"error":false', b'"errors":[]']
)
async def test_an_error_field_that_says_nothing(api: Any, empty: bytes) -> None:
    """Covers R9: many APIs always send the field."""
    body = b'{"data":[{"id":1}],"hasMore":false,' + empty + b"}"

    assert len((await api.rest(await api.always(body)).fetch("events", "", None)).records) == 1


async def test_an_empty_list_from_go(api: Any) -> None:
    """Covers R1, R9: null for an empty list is fine when the end is declared."""
    found = await api.rest(await api.always(b'{"data":null,"hasMore":false}')).fetch(
        "events", "", None
    )

    assert (found.records, found.more) == ([], False)


async def test_a_byte_order_mark(api: Any) -> None:
    """Covers R9: harmless."""
    body = b'\xef\xbb\xbf{"data":[{"id":1}],"hasMore":false}'

    assert len((await api.rest(await api.always(body)).fetch("events", "", None)).records) == 1


@pytest.mark.parametrize("status", [400, 404, 410])
async def test_a_cursor_that_is_refused_has_expired(api: Any, status: int) -> None:
    """Covers R18: the walk begins again; DataSync's cursors live two minutes and answer 400."""
    body = b'{"error":"Invalid or expired cursor","code":"INVALID_CURSOR"}'
    rest = api.rest(await api.always(body, status=status))

    for cursor in (AT, {"at": {"url": "/events?page=2"}}, {"at": {"page": 9}}):
        with pytest.raises(Expired, match=rf"\({status}\): Invalid or expired cursor"):
            await rest.fetch("events", "", cursor)

    assert len(api.requests) == 3


async def test_a_400_about_the_key_is_about_the_key(api: Any) -> None:
    """Covers R18: walking again would not help."""
    body = b'{"error":{"message":"API key not valid. Please pass a valid API key."}}'
    rest = api.rest(await api.always(body, status=400))

    with pytest.raises(NeedsHuman, match="API key not valid"):
        await rest.fetch("events", "", AT)


@pytest.mark.parametrize("cursor", [None, {"since": "2026-01-01T00:00:00Z"}])
async def test_a_404_on_the_first_request_is_a_wrong_path(api: Any, cursor: Any) -> None:
    """Covers R18, A2.24: a person is told which path."""
    rest = api.rest(await api.always(b"{}", status=404), path="/evnets")

    with pytest.raises(NeedsHuman, match="has nothing at /evnets") as caught:
        await rest.fetch("events", "", cursor)

    assert "path" in caught.value.hint


async def test_a_cursor_of_another_version(api: Any) -> None:
    """Covers R18: a stored cursor that makes no sense begins a new walk, not a crash."""
    rest = api.rest("http://127.0.0.1:9")

    strange: list[Any] = ["text", 7, [], {"at": 7}, {"page": 1}, {"at": {"page": 1}, "x": 1}]
    for cursor in strange:
        with pytest.raises(Expired):
            await rest.fetch("events", "", cursor)


async def test_the_path_that_is_there_is_taken(api: Any) -> None:
    """Covers A2.24: /events by the server, /api/v1/events by the documents."""

    async def handler(request: web.Request) -> web.Response:
        if request.path != "/api/v1/events":
            return web.json_response({"error": "not found"}, status=404)
        first = "cursor" not in request.query
        return web.json_response({"data": [{"id": 1}], "hasMore": first, "nextCursor": "c"})

    url = await api.serve(handler)
    paths = ["/events", "/api/v1/events"]
    pages = await api.walk(api.rest(url, path=paths))

    assert len(pages) == 2
    assert [r.path for r in api.requests] == ["/events", *["/api/v1/events"] * 2]

    with pytest.raises(NeedsHuman, match="has nothing at /b"):
        await api.walk(api.rest(url, path=["/a", "/b"]))


@pytest.mark.parametrize("code", [500, 502, 503])
async def test_5xx_are_tried_again_within_the_fetch(api: Any, code: int) -> None:
    """Covers A2.12, A2.35: up to five retries with exponential backoff."""

    async def handler(request: web.Request) -> web.Response:
        if len(api.requests) <= 5:
            return web.Response(status=code)
        return web.json_response({"data": [], "hasMore": False})

    await api.walk(api.rest(await api.serve(handler)))

    assert api.slept == [0.25, 0.5, 1.0, 2.0, 2.5]


async def test_429_of_datasync(api: Any) -> None:
    """Covers A2.30, A2.31, A2.32, A2.33: pause until the reset, then the same request."""

    async def handler(request: web.Request) -> web.Response:
        if len(api.requests) == 1:
            return web.json_response(
                {"error": "Rate limit exceeded", "code": "RATE_LIMIT_EXCEEDED"},
                status=429,
                headers={"X-RateLimit-Reset": "3", "X-RateLimit-Remaining": "0"},
            )
        return web.json_response({"data": [], "hasMore": False})

    await api.walk(api.rest(await api.serve(handler)))

    assert sum(api.slept) == pytest.approx(3.0)
    assert api.requests[0].raw_path == api.requests[1].raw_path


async def test_a_long_429_parks_the_stream(api: Any) -> None:
    """Covers A2.32, R6: 58 seconds are not slept in a worker."""
    url = await api.always(b"{}", status=429, headers={"Retry-After": "58"})

    with pytest.raises(Retry) as caught:
        await api.rest(url).fetch("events", "", None)

    assert caught.value.after == 58
    assert api.slept == []


async def test_delay_between_pages(api: Any) -> None:
    """Covers A2.7, A2.22, A2.29: delay_ms between two requests."""

    async def handler(request: web.Request) -> web.Response:
        more = len(api.requests) < 4
        return web.json_response({"data": [], "hasMore": more, "nextCursor": len(api.requests)})

    await api.walk(api.rest(await api.serve(handler), delay_ms=250))

    assert api.slept == [pytest.approx(0.25)] * 3


async def test_names_that_are_not_in_the_spec(api: Any) -> None:
    """Covers A2.36: one sentence, not a traceback."""
    rest = api.rest("http://127.0.0.1:9")

    with pytest.raises(NeedsHuman, match="no stream 'other'"):
        await rest.fetch("other", "", None)
    with pytest.raises(NeedsHuman, match="no slice 'x'"):
        await rest.fetch("events", "x", None)


async def test_what_a_source_says_is_fit_to_be_stored(api: Any) -> None:
    """Covers R12, O9: no NUL, no line break and no key in a message."""
    for body in (
        b'{"error":"a\\u0000b\\nc canary-key-1"}',
        b'{"a\\u0000b":1}',
        b'{"data":[{"a\\u0000b":1}]}',
    ):
        rest = api.rest(await api.always(body), auth={"bearer": True}, secret="canary-key-1")
        with pytest.raises((Retry, NeedsHuman)) as caught:
            await rest.fetch("events", "", None)
        assert caught.value.message.isprintable()
        assert "canary" not in caught.value.message


async def test_a_link_that_is_no_text(api: Any) -> None:
    """Covers R5, R12: bytes in a header that are no UTF-8 can still be stored as a cursor."""
    url = await api.always(b"[]", headers={"Link": '</\udcff>; rel="next"'})
    rest = api.rest(url)

    page = await rest.fetch("events", "", None)

    assert page.more
    assert str(page.cursor).encode()
