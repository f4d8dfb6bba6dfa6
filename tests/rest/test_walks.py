"""From the first page to the last, in every style."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aiohttp import web

from headrace.errors import NeedsHuman, Retry

ROWS = [{"id": n} for n in range(1, 8)]


def ids(pages: list[Any]) -> list[str]:
    return [record.source_id for page in pages for record in page.records]


def cut(request: web.Request, size: int = 3) -> tuple[list[dict[str, int]], str | None]:
    """A page of ROWS and the opaque cursor after it."""
    at = int(request.query.get("cursor", "c0")[1:])
    after = at + size
    return ROWS[at:after], f"c{after}" if after < len(ROWS) else None


async def test_nested_envelope(api: Any) -> None:
    """Covers A2.23, A2.26, A2.17, R1: the envelope that DataSync really sends."""

    async def handler(request: web.Request) -> web.Response:
        rows, after = cut(request)
        page = {"limit": 3, "hasMore": after is not None, "nextCursor": after}
        return web.json_response({"data": rows, "pagination": page, "meta": {"total": 7}})

    pages = await api.walk(api.rest(await api.serve(handler)))

    assert ids(pages) == [str(n) for n in range(1, 8)]
    assert {page.notes["envelope"] for page in pages} == {"nested"}
    assert pages[-1].cursor is None


async def test_flat_envelope(api: Any) -> None:
    """Covers A2.23: the envelope of DataSync's documents, and which was seen is reported."""

    async def handler(request: web.Request) -> web.Response:
        rows, after = cut(request)
        return web.json_response({"data": rows, "hasMore": after is not None, "nextCursor": after})

    pages = await api.walk(api.rest(await api.serve(handler)))

    assert ids(pages) == [str(n) for n in range(1, 8)]
    assert pages[0].notes["envelope"] == "flat"


async def test_the_envelope_may_change_on_the_way(api: Any) -> None:
    """Covers A2.23, A2.25: each page is read as it is."""

    async def handler(request: web.Request) -> web.Response:
        rows, after = cut(request)
        more = {"hasMore": after is not None, "nextCursor": after}
        nested = len(api.requests) % 2
        return web.json_response({"data": rows, **({"pagination": more} if nested else more)})

    pages = await api.walk(api.rest(await api.serve(handler)))

    assert ids(pages) == [str(n) for n in range(1, 8)]
    assert [page.notes["envelope"] for page in pages] == ["nested", "flat", "nested"]


@pytest.mark.parametrize("key", ["data", "items", "results", "records", None])
async def test_records_are_found(api: Any, key: str | None) -> None:
    """Covers A2.25: under their usual names, or as the answer itself."""
    body = json.dumps(ROWS if key is None else {key: ROWS, "hasMore": False}).encode()

    pages = await api.walk(api.rest(await api.always(body)))

    assert len(ids(pages)) == 7


@pytest.mark.parametrize("end", [None, "", False, "absent"])
async def test_the_end_is_the_declared_signal(api: Any, end: Any) -> None:
    """Covers R1: null, "", false and absent end a walk; an empty page does not."""

    async def handler(request: web.Request) -> web.Response:
        at = int(request.query.get("after", 0))
        page: dict[str, Any] = {"data": ROWS[at : at + 1] if at % 2 else []}
        if at < 7:
            page["meta"] = {"after": at + 1}
        elif end != "absent":
            page["meta"] = {"after": end}
        return web.json_response(page)

    paging = {"style": "cursor", "from": "meta.after", "param": "after"}
    pages = await api.walk(api.rest(await api.serve(handler), pagination=paging))

    assert len(pages) == 8
    assert ids(pages) == ["2", "4", "6"]


async def test_a_cursor_that_never_goes_away(api: Any) -> None:
    """Covers R1: has_more false ends the walk whatever the cursor says."""
    body = b'{"data":[{"id":1}],"hasMore":false,"nextCursor":"again"}'

    pages = await api.walk(api.rest(await api.always(body)))

    assert (len(pages), pages[0].cursor) == (1, None)


async def test_more_without_a_cursor_is_a_contradiction(api: Any) -> None:
    """Covers R1, A2.36: no silent end; the source is left alone for a minute."""
    for body in (
        b'{"data":[],"hasMore":true,"nextCursor":null}',
        b'{"data":[],"hasMore":true}',
        b'{"data":[],"pagination":{"hasMore":true,"nextCursor":""}}',
    ):
        with pytest.raises(Retry, match="no cursor") as caught:
            await api.walk(api.rest(await api.always(body)))
        assert caught.value.after == 60


@pytest.mark.parametrize("cursor", ["b64+/=&?#%", 0, 7, -1, 2**70, [1, "a"], {"k": 1}, 1.5])
async def test_cursors_are_opaque(api: Any, cursor: Any) -> None:
    """Covers A2.26: text, numbers, even arrays go back as they came, through JSON and a restart."""

    async def handler(request: web.Request) -> web.Response:
        first = "cursor" not in request.query
        return web.json_response({"data": [], "hasMore": first, "nextCursor": cursor})

    rest = api.rest(await api.serve(handler))
    page = await rest.fetch("events", "", None)
    await rest.fetch("events", "", json.loads(json.dumps(page.cursor)))

    sent = api.requests[1].query["cursor"]
    assert sent == cursor if isinstance(cursor, str) else json.loads(sent) == cursor


@pytest.mark.parametrize("period", [1, 2, 3, 7])
async def test_a_circle_gives_an_equal_cursor_again(api: Any, period: int) -> None:
    """Covers R2: which is what the engine's guard looks for, also across restarts."""

    async def handler(request: web.Request) -> web.Response:
        at = int(request.query.get("cursor", 0))
        after = at + 1 if at < 5 + period - 1 else 5
        row = {"id": at, "t": f"2025-12-0{at % 9 + 1}"}
        return web.json_response({"data": [row], "hasMore": True, "nextCursor": after})

    url = await api.serve(handler)
    seen: list[str] = []
    cursor = None
    while len(seen) == len(set(seen)):
        rest = api.rest(url, time="t", since={"param": "since"})
        cursor = (await rest.fetch("events", "", cursor)).cursor
        seen.append(json.dumps(cursor))

    assert len(seen) <= 5 + 2 * period


async def test_next_urls(api: Any) -> None:
    """Covers R5, H3: absolute and relative ones, asked as they were written."""

    async def handler(request: web.Request) -> web.Response:
        page = int(request.query.get("page", 1))
        url = [None, "/events?page=2&x=a%2Fb", f"http://{request.host}/other?page=3", None][page]
        return web.json_response({"results": [{"id": page}], "next": url})

    pages = await api.walk(api.rest(await api.serve(handler), limit=None))

    assert ids(pages) == ["1", "2", "3"]
    assert [r.raw_path for r in api.requests] == [
        "/events",
        "/events?page=2&x=a%2Fb",
        "/other?page=3",
    ]
    assert pages[0].notes["envelope"] == "next URL"


async def test_a_declared_next_url(api: Any) -> None:
    """Covers R5: also as an object with href, beside a false that ends the walk."""

    async def handler(request: web.Request) -> web.Response:
        page = int(request.query.get("page", 1))
        links = {"next": {"href": f"?page={page + 1}"}}
        return web.json_response({"data": [{"id": page}], "links": links, "more": page < 3})

    paging = {"style": "next_url", "from": "links.next", "has_more": "more"}
    pages = await api.walk(api.rest(await api.serve(handler), pagination=paging))

    assert ids(pages) == ["1", "2", "3"]


async def test_link_headers(api: Any) -> None:
    """Covers R5, H3: a header with quotes and commas, its address relative."""

    async def handler(request: web.Request) -> web.Response:
        page = int(request.query.get("page", 1))
        links = '</x>; title="a, b; rel=next"; rel="first"'
        if page < 3:
            links += f', </events?page={page + 1}>; rel="next last"'
        return web.json_response([{"id": page}], headers={"Link": links})

    url = await api.serve(handler)

    assert ids(await api.walk(api.rest(url))) == ["1", "2", "3"]
    declared = api.rest(url, pagination={"style": "link_header"})
    assert ids(await api.walk(declared)) == ["1", "2", "3"]


async def test_a_next_url_elsewhere_is_not_followed(api: Any) -> None:
    """Covers H4, R15: the rows of the page land, and the key stays."""
    thief = await api.always(b"{}")
    url = await api.always(json.dumps({"data": [{"id": 1}], "next": f"{thief}/x"}).encode())
    rest = api.rest(url, secret="s" * 20, auth={"bearer": True})

    page = await rest.fetch("events", "", None)
    with pytest.raises(NeedsHuman, match="not followed"):
        await rest.fetch("events", "", page.cursor)

    assert len(page.records) == 1
    assert len(api.requests) == 1


@pytest.mark.parametrize("signal", [{}, {"total": "total"}, {"has_more": "more"}])
async def test_offset(api: Any, signal: dict[str, str]) -> None:
    """Covers R4: the end by total, by flag, or by an empty page; a cap on limit loses nothing."""

    async def handler(request: web.Request) -> web.Response:
        at = int(request.query["offset"])
        size = min(int(request.query["limit"]), 2)  # less than was asked for
        rows = ROWS[at : at + size]
        return web.json_response({"data": rows, "total": 7, "more": at + size < 7})

    paging = {"style": "offset", **signal}
    pages = await api.walk(api.rest(await api.serve(handler), pagination=paging))

    assert ids(pages) == [str(n) for n in range(1, 8)]
    assert "unsafe" in pages[0].notes


@pytest.mark.parametrize("signal", [{}, {"total": "pages"}, {"has_more": "more"}])
async def test_page_numbers(api: Any, signal: dict[str, str]) -> None:
    """Covers R4: counted from 1, or from what the spec says."""

    async def handler(request: web.Request) -> web.Response:
        page = int(request.query["page"])
        rows = ROWS[page * 3 : page * 3 + 3]
        return web.json_response({"data": rows, "pages": 3, "more": page < 2})

    paging = {"style": "page", "start": 0, **signal}
    pages = await api.walk(api.rest(await api.serve(handler), pagination=paging))

    assert ids(pages) == [str(n) for n in range(1, 8)]
    assert "unsafe" in pages[0].notes


async def test_offset_looks_back_while_the_source_changes(api: Any) -> None:
    """Covers R4: rows deleted during the walk shift the rest; a look back catches them."""
    rows = [{"id": n} for n in range(300)]

    async def handler(request: web.Request) -> web.Response:
        at, size = int(request.query["offset"]), int(request.query["limit"])
        found = rows[at : at + size]
        del rows[:5]
        return web.json_response({"data": found})

    paging = {"style": "offset"}
    pages = await api.walk(api.rest(await api.serve(handler), pagination=paging))

    assert {int(i) for i in ids(pages)} >= set(range(100, 300))


async def test_no_pagination(api: Any) -> None:
    """Covers R1: one page is everything, where the spec says so."""
    body = json.dumps({"data": [{"id": n} for n in range(100)]}).encode()

    pages = await api.walk(api.rest(await api.always(body), pagination={"style": "none"}))

    assert (len(pages), pages[0].cursor) == (1, None)


async def test_a_full_page_without_any_signal_is_not_the_end(api: Any) -> None:
    """Covers R1: rather ask a person than lose what may follow."""
    body = json.dumps({"data": [{"id": n} for n in range(100)], "page": {"after": "x"}}).encode()

    with pytest.raises(NeedsHuman, match="an object with data, page"):
        await api.walk(api.rest(await api.always(body)))


async def test_duplicates_and_disorder_are_passed_on(api: Any) -> None:
    """Covers R3: telling versions apart is for the landing, nothing is dropped here."""
    body = b'{"data":[{"id":2},{"id":1},{"id":2}],"hasMore":false}'

    assert ids(await api.walk(api.rest(await api.always(body)))) == ["2", "1", "2"]


async def test_post_with_a_cursor_in_the_body(api: Any) -> None:
    """Covers A2.17: a search API, its parameters typed and nested."""

    async def handler(request: web.Request) -> web.Response:
        body = await request.json()
        after = body["variables"].get("after")
        return web.json_response(
            {"data": {"nodes": [{"id": after or 1}], "end": 2 if after is None else None}}
        )

    rest = api.rest(
        await api.serve(handler),
        method="POST",
        records="data.nodes",
        params={"query": "{ nodes }"},
        limit={"param": "variables.first", "value": 5},
        pagination={"style": "cursor", "param": "variables.after", "from": "data.end"},
    )
    pages = await api.walk(rest)

    assert ids(pages) == ["1", "2"]
    assert json.loads(api.bodies[1]) == {
        "query": "{ nodes }",
        "variables": {"first": 5, "after": 2},
    }


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_cursor_in_a_header_or_the_query(api: Any, method: str) -> None:
    """Covers A2.17: wherever the API wants it."""

    async def handler(request: web.Request) -> web.Response:
        asked = "X-After" in request.headers or "X-After" in request.query
        return web.json_response({"data": [], "next": None if asked else "x y"})

    url = await api.serve(handler)
    for place in ("header", "query"):
        paging = {"style": "cursor", "param": "X-After", "from": "next", "in": place}
        rest = api.rest(url, method=method, pagination=paging)
        page = await rest.fetch("events", "", None)
        await rest.fetch("events", "", page.cursor)
        request = api.requests[-1]
        assert (request.headers if place == "header" else request.query)["X-After"] == "x y"


@pytest.mark.parametrize("style", ["page", "offset"])
async def test_a_source_that_ignores_the_page_number(api: Any, style: str) -> None:
    """Covers R2: its first page for ever is a circle too, though the numbers never repeat."""
    body = json.dumps({"data": ROWS}).encode()

    with pytest.raises(NeedsHuman, match="same page twice"):
        await api.walk(api.rest(await api.always(body), pagination={"style": style}))

    assert len(api.requests) == 2


@pytest.mark.parametrize("value", ['"opaque"', "7", "true"])
async def test_a_next_that_is_no_url(api: Any, value: str) -> None:
    """Covers R1: not taken for the end because it is not understood."""
    url = await api.always(b'{"data":[{"id":1}],"next":' + value.encode() + b"}")

    with pytest.raises(NeedsHuman, match="next is no URL"):
        await api.walk(api.rest(url))


async def test_a_declared_path_that_is_not_there_is_told(api: Any) -> None:
    """Covers R1, A2.25: it is an end, but the log shows that nothing was found."""
    url = await api.always(b'{"data":[{"id":1}],"paging":{"next":null}}')
    for source, shape in (("paging.next", "paging.next"), ("page.next", "no page.next")):
        paging = {"style": "cursor", "from": source}
        pages = await api.walk(api.rest(url, pagination=paging))
        assert pages[0].notes["envelope"] == shape


async def test_a_cursor_that_cannot_be_stored(api: Any) -> None:
    """Covers R12: said clearly, instead of a page that never commits."""
    url = await api.always(b'{"data":[],"hasMore":true,"nextCursor":"a\\u0000"}')

    with pytest.raises(NeedsHuman, match="NUL"):
        await api.walk(api.rest(url))


async def test_a_cursor_does_not_smuggle_headers(api: Any) -> None:
    """Covers R11: a line break in a cursor is no second header."""
    url = await api.always(b'{"data":[],"next":"a\\r\\nX-Admin: 1"}')
    paging = {"style": "cursor", "param": "X-After", "from": "next", "in": "header"}
    rest = api.rest(url, pagination=paging)
    page = await rest.fetch("events", "", None)

    with pytest.raises(NeedsHuman, match="cannot be sent in a header"):
        await rest.fetch("events", "", page.cursor)

    assert len(api.requests) == 1
