"""`/api/memory/search`, and `/api/search?person=`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.testclient import TestClient
from tests.api.conftest import STRANGER

if TYPE_CHECKING:
    from tests.api.conftest import House, Problem


def test_an_agent_is_told_who_when_and_where(house: House, client: TestClient) -> None:
    stream = house.stream(house.connection())
    house.mail(stream, "a/1")
    house.event(stream, "e")
    [first, *_] = client.get("/api/memory/search", params={"q": "pay the invoice"}).json()["items"]
    assert first["text"] == "Please pay the invoice for the teapot."
    assert (first["who"], first["occurred_at"]) == (["carol@example.org"], "2026-01-01T00:00:00Z")
    assert first["citation"] == {
        "kind": "interactions",
        "stream_id": stream,
        "source_id": "a/1",
        "title": "Invoice",
        "connection": "shop",
        "stream": "events",
        "page": None,
        "headings": [],
        "path": f"/api/interactions/{stream}/a%2F1",
    }
    items = client.get("/api/memory/search", params={"q": "teapot", "limit": 1}).json()["items"]
    assert len(items) == 1


def test_nobody_else_is_told(house: House, problem: Problem, client: TestClient) -> None:
    """Covers A4.8."""
    house.mail(house.stream(house.connection()), "a")
    stranger = house.client("other", STRANGER)
    assert stranger.get("/api/memory/search", params={"q": "invoice"}).json()["items"] == []
    problem(client.get("/api/memory/search", params={"q": "x", "limit": 51}), 422)
    for path in ("/api/memory/search", "/api/search"):
        problem(client.get(path, params={"q": "x", "person": "nobody"}), 422)
