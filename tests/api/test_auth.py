"""No route opens without a key, except the two that tell how the service is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.testclient import TestClient

from headrace.store import keys

if TYPE_CHECKING:
    from tests.api.conftest import House, Problem

OPEN = {"/health", "/ready", "/connections/callback"}


def routes(app: object) -> list[tuple[str, str]]:
    """Every method and path there is, from the description that the application gives of itself."""
    assert isinstance(app, FastAPI)
    paths: dict[str, dict[str, object]] = app.openapi()["paths"]
    return [(method.upper(), path) for path, methods in paths.items() for method in methods]


def test_nothing_else_opens_without_a_key(nobody: TestClient, problem: Problem) -> None:
    """Every route there is, by the application's own description."""
    asked = 0
    for method, path in routes(nobody.app):
        if path in OPEN:
            continue
        at = path.replace("{stream_id}", "1").replace("{number}", "1")
        for headers in ({}, {"X-API-Key": "hr_wrong"}, {"Authorization": "Bearer hr_wrong"}):
            answer = nobody.request(method, at, headers=headers)
            assert problem(answer, 401)["hint"], (method, path)
            assert answer.headers["www-authenticate"] == "Bearer"
            asked += 1
    assert asked >= 3 * 18


def test_the_description_names_every_route(nobody: TestClient) -> None:
    """Nothing is served that it hides, or the test above would prove less than it says; pages are
    walked by tests of their own."""
    assert isinstance(nobody.app, FastAPI)
    named = {path for _method, path in routes(nobody.app)}
    served = {
        re.sub(r":\w+}", "}", str(one.path))
        for one in iter_route_contexts(nobody.app.routes)
        if not one.endpoint.__module__.startswith("headrace.dashboard")
    }
    assert len(served) > 60
    assert served == named


def test_health_and_readiness_are_open(nobody: TestClient) -> None:
    """The process is up; the database is there, and of this version."""
    assert nobody.get("/health").json()["status"] == "ok"
    answer = nobody.get("/ready")
    assert (answer.status_code, answer.json()["status"]) == (200, "ready")


def test_a_key_travels_in_either_header(house: House, nobody: TestClient) -> None:
    key = house.key()
    for headers in ({"X-API-Key": key}, {"Authorization": f"Bearer {key}"}):
        assert nobody.get("/api/jobs", headers=headers).status_code == 200


def test_a_revoked_key_opens_nothing_from_then_on(
    house: House, client: TestClient, problem: Problem
) -> None:
    assert client.get("/api/jobs").status_code == 200
    with house.store.transaction() as session:
        keys.revoke(session, "acme", client.headers["X-API-Key"][:10])
    problem(client.get("/api/jobs"), 401)


def test_a_key_is_never_repeated(house: House, nobody: TestClient, problem: Problem) -> None:
    """Covers Keys: not in an error, not in a header, not in the description."""
    key = house.key()
    wrong = f"{key}x"
    told = nobody.get("/api/jobs", headers={"X-API-Key": wrong})
    assert key not in told.text + str(told.headers)
    assert key not in nobody.get("/openapi.json", headers={"X-API-Key": key}).text


def test_no_other_origin_is_let_in(client: TestClient) -> None:
    """A page of another site may not read answers: there is no CORS."""
    sent = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    for answer in (
        client.get("/api/jobs", headers=sent),
        client.options("/api/jobs", headers=sent),
    ):
        assert not [name for name in answer.headers if name.startswith("access-control")]
