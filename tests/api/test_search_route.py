"""`/api/search`: what was found, and sane answers to senseless questions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from starlette.testclient import TestClient

if TYPE_CHECKING:
    from tests.api.conftest import House


@pytest.fixture
def filled(house: House) -> int:
    stream = house.stream(house.connection())
    house.mail(stream, "m/1")
    house.event(stream, "e1")
    return stream


def test_a_hit_leads_to_its_row(client: TestClient, filled: int) -> None:
    found = client.get("/api/search?q=teapot").json()
    assert {hit["kind"] for hit in found["items"]} == {"interactions", "events"}
    assert found["took_ms"] > 0
    for hit in found["items"]:
        assert (hit["connection"], hit["stream"], hit["stream_id"]) == ("shop", "events", filled)
        assert "**teapot**" in hit["snippet"]
        assert 1 < hit["score"] < 2
        assert client.get(hit["path"]).json()["source_id"] == hit["source_id"]


def test_it_can_be_narrowed(client: TestClient, filled: int) -> None:
    def found(more: str) -> list[str]:
        return [
            hit["source_id"] for hit in client.get(f"/api/search?q=teapot{more}").json()["items"]
        ]

    assert found("&kind=events") == ["e1"]
    assert len(found("&kind=events&kind=interactions")) == 2
    assert len(found("&limit=1")) == 1
    assert found("&since=2026-02-01T00:00:00Z") == []
    assert len(found("&until=2026-02-01T00:00:00Z")) == 2


def test_senseless_questions_find_nothing(client: TestClient, filled: int) -> None:
    for q in ("", "   ", "!!! ---", "the of and", "-teapot", "\0", "💧", "x" * 10_000):
        answer = client.get("/api/search", params={"q": q})
        assert (answer.status_code, answer.json()["items"]) == (200, []), q[:20]
