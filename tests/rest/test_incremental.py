"""Runs that go on from where the last one ended, and streams in parts."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web

from headrace.rest import parse_spec
from headrace.rest.slices import names

SINCE = {"param": "updated_since", "overlap_seconds": 60}


def source(rows: list[tuple[int, str]]) -> Any:
    """Pages of two rows (id, time), oldest first, from `updated_since` on."""

    async def handler(request: web.Request) -> web.Response:
        since = request.query.get("updated_since", "")
        at = int(request.query.get("cursor", 0))
        found = [{"id": i, "t": t} for i, t in rows if t >= since]
        more = at + 2 < len(found)
        page = {"data": found[at : at + 2], "hasMore": more, "nextCursor": at + 2 if more else None}
        return web.json_response(page)

    return handler


async def test_the_next_run_begins_at_the_newest_time_seen(api: Any) -> None:
    """Covers X2, A2.16, H1: minus an overlap, and the same parameter on every page of a walk."""
    rows = [(n, f"2025-12-0{n}T00:00:00Z") for n in range(1, 6)]
    url = await api.serve(source(rows))
    rest = api.rest(url, time="t", since=SINCE)

    first = await api.walk(rest)
    assert len(first) == 3
    assert all("updated_since" not in r.query for r in api.requests)
    assert first[-1].cursor == {"since": "2025-12-05T00:00:00Z"}

    rows.append((6, "2025-12-06T00:00:00Z"))
    api.requests.clear()
    second = await api.walk(rest, json.loads(json.dumps(first[-1].cursor)))

    assert [r.source_id for p in second for r in p.records] == ["5", "6"]
    assert api.requests[0].query["updated_since"] == "2025-12-04T23:59:00Z"
    assert second[-1].cursor == {"since": "2025-12-06T00:00:00Z"}


async def test_the_watermark_moves_only_at_the_end(api: Any) -> None:
    """Covers H1, A2.28: a walk that is newest first and breaks off has not seen the older rows."""
    rows = [(n, f"2025-12-0{9 - n}T00:00:00Z") for n in range(1, 8)]
    rest = api.rest(await api.serve(source(rows)), time="t", since=SINCE)
    start = {"since": "2025-11-01T00:00:00Z"}

    page = await rest.fetch("events", "", start)
    again = await rest.fetch("events", "", json.loads(json.dumps(page.cursor)))

    assert page.cursor["since"] == again.cursor["since"] == "2025-11-01T00:00:00Z"
    assert {r.query["updated_since"] for r in api.requests} == {"2025-10-31T23:59:00Z"}
    assert (await api.walk(rest, again.cursor))[-1].cursor == {"since": "2025-12-08T00:00:00Z"}


async def test_a_clock_that_is_ahead_hides_nothing(api: Any) -> None:
    """Covers H1: a record from the future does not become the watermark."""
    rows = [(1, "2025-12-01T00:00:00Z"), (2, "2099-01-01T00:00:00Z")]
    rest = api.rest(await api.serve(source(rows)), time="t", since=SINCE)

    assert (await api.walk(rest))[-1].cursor == {"since": "2025-12-01T00:00:00Z"}


async def test_nothing_new_keeps_the_watermark(api: Any) -> None:
    """Covers X2: an empty run moves nothing, back or forth."""
    rest = api.rest(await api.serve(source([])), time="t", since=SINCE)
    start = {"since": "2025-12-01T00:00:00Z"}

    assert (await api.walk(rest, start))[-1].cursor == start
    assert (await api.walk(rest))[-1].cursor is None


@pytest.mark.parametrize(
    ("format_", "expected"),
    [("iso", "2026-01-01T00:00:00Z"), ("unix", "1767225600"), ("unix_ms", "1767225600000")],
)
async def test_the_form_of_the_time(api: Any, format_: str, expected: str) -> None:
    """Covers X2, H2: whole seconds, so that the boundary second is asked for again."""
    since = {"param": "s", "format": format_, "overlap_seconds": 0, "start": "2026-01-01"}
    rest = api.rest(await api.serve(source([])), time="t", since=since)

    await rest.fetch("events", "", None)
    await rest.fetch("events", "", {"since": "2026-01-01T00:00:00.999Z"})

    assert [r.query["s"] for r in api.requests] == [expected, expected]


async def test_resume(api: Any) -> None:
    """Covers A2.16: a feed whose last cursor leads to what is new, where the spec says so."""
    rows = [1, 2, 3]

    async def handler(request: web.Request) -> web.Response:
        at = int(request.query.get("cursor", 0))
        return web.json_response(
            {"data": [{"id": n} for n in rows[at:]], "more": False, "next": len(rows)}
        )

    paging = {"style": "cursor", "from": "next", "has_more": "more", "resume": True}
    rest = api.rest(await api.serve(handler), pagination=paging)
    first = await api.walk(rest)
    rows.append(4)
    second = await api.walk(rest, first[-1].cursor)

    assert [r.source_id for r in second[0].records] == ["4"]
    assert first[-1].cursor == {"at": {"cursor": 3}}


async def test_slices_by_time(api: Any) -> None:
    """Covers A2.42, BEYOND C11: named by what they hold, edges covered twice rather than never."""
    cut = {
        "by": "time",
        "param_from": "from",
        "param_to": "to",
        "from": "2026-01-01",
        "to": "2026-02-01",
        "count": 4,
    }
    rest = api.rest(await api.serve(source([])), slices=cut)
    plan = (await rest.streams())[0]

    assert plan.slices == (
        "2026-01-01..2026-01-08",
        "2026-01-08..2026-01-16",
        "2026-01-16..2026-01-24",
        "2026-01-24..2026-02-01",
    )
    await rest.fetch("events", plan.slices[1], None)
    query = api.requests[0].query
    assert (query["from"], query["to"]) == ("2026-01-07T23:59:59Z", "2026-01-16T00:00:00Z")


def test_short_slices_have_edges_on_seconds() -> None:
    """Covers A2.42: parts of less than a day."""
    cut = {
        "by": "time",
        "param_from": "a",
        "param_to": "b",
        "from": "2026-01-01T00:00:00Z",
        "to": "2026-01-01T01:00:00Z",
        "count": 3,
    }
    spec = parse_spec(
        {"name": "a", "base_url": "http://x", "streams": {"e": {"path": "/", "slices": cut}}}
    )

    found = names(spec.streams["e"])

    assert found[0] == "2026-01-01..2026-01-01T00:20:00Z"
    assert found[-1] == "2026-01-01T00:40:00Z..2026-01-01T01:00:00Z"


async def test_slices_by_key(api: Any) -> None:
    """Covers A2.42: one part for each value."""
    cut = {"by": "key", "param": "type", "values": ["click", "page view"]}
    rest = api.rest(await api.serve(source([])), slices=cut)

    for slice_ in (await rest.streams())[0].slices:
        await rest.fetch("events", slice_, None)

    assert [r.query["type"] for r in api.requests] == ["click", "page view"]


async def test_the_clock_of_the_walk_is_its_beginning(api: Any) -> None:
    """Covers H1: what came in during a long walk is asked for again."""
    rows = [(1, "2025-12-31T00:00:00Z"), (2, "2026-01-01T00:30:00Z"), (3, "2026-01-01T01:00:00Z")]
    rest = api.rest(await api.serve(source(rows)), time="t", since=SINCE)

    page = await rest.fetch("events", "", None)
    api.now += 7200
    last = await rest.fetch("events", "", page.cursor)

    assert datetime.fromisoformat(page.cursor["began"]) == datetime(2026, 1, 1, tzinfo=UTC)
    assert last.cursor == {"since": "2025-12-31T00:00:00Z"}
