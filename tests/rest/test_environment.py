"""One source from the environment alone."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web

from headrace.errors import BadInput
from headrace.providers.rest import Rest
from headrace.settings import load

EVENT = {
    "id": "evt_1",
    "sessionId": "s1",
    "userId": "u1",
    "type": "click",
    "name": "buy",
    "properties": {"page": "/x"},
    "timestamp": 1767225600123,
    "session": {"id": "s1", "deviceType": "mobile", "browser": "Firefox"},
}


def datasync(prefix: str) -> Any:
    async def handler(request: web.Request) -> web.Response:
        if request.path != f"{prefix}/events":
            return web.json_response({"error": "Not found"}, status=404)
        events = [EVENT, {**EVENT, "id": "evt_2", "timestamp": "2026-01-01T00:00:00.123Z"}]
        page = {"limit": 2, "hasMore": False, "nextCursor": None, "cursorExpiresIn": 120}
        return web.json_response({"data": events, "pagination": page, "meta": {"total": 2}})

    return handler


@pytest.mark.parametrize(("base", "prefix"), [("", ""), ("", "/api/v1"), ("/api/v1", "/api/v1")])
async def test_datasync(api: Any, base: str, prefix: str) -> None:
    """Covers A1.53, A2.4, A2.6, A2.7, A2.23, A2.24: address, page size, pace and key, and the
    path is found."""
    url = await api.serve(datasync(prefix)) + base
    settings = load(
        _env_file=None, api_base_url=url, api_key="k" * 10, batch_size=37, rate_limit_delay_ms=200
    )
    rest = api.adopt(Rest.from_environment(settings))

    pages = await api.walk(rest)

    request = api.requests[-1]
    assert (request.query["limit"], request.headers["X-API-Key"]) == ("37", "k" * 10)
    assert [r.source_id for r in pages[0].records] == ["evt_1", "evt_2"]
    assert pages[0].records[0].occurred_at == pages[0].records[1].occurred_at
    assert pages[0].notes == {"envelope": "nested"}
    assert [plan.name for plan in await rest.streams()] == ["events"]


def test_batches_of_100_by_default() -> None:
    """Covers A2.6: BATCH_SIZE is 100."""
    rest = Rest.from_environment(load(_env_file=None, api_base_url="http://localhost:1"))

    assert rest.config.streams["events"].limit is not None
    assert rest.config.streams["events"].limit.value == 100
    assert rest.config.auth is None


@pytest.mark.parametrize("url", [None, "localhost", "ftp://x", "https://user:pw@example.com"])
def test_an_address_that_cannot_be_used(url: str | None) -> None:
    """Covers A2.4: said at the start."""
    with pytest.raises(BadInput):
        Rest.from_environment(load(_env_file=None, api_base_url=url))
