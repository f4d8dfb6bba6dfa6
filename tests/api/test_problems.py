"""Every error is application/problem+json with a hint, and says nothing of the inside."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg_pool import PoolTimeout
from starlette.testclient import TestClient
from tests import databases

from headrace import errors
from headrace.api.envelope import MAX_BODY
from headrace.store import jobs

if TYPE_CHECKING:
    from tests.api.conftest import House, Problem


@pytest.fixture(scope="module")
def url(cluster: str, engine_template: str) -> Iterator[str]:
    """One database for all of these: none of them leaves a row."""
    with databases.lent(cluster, engine_template) as made:
        yield made


def test_a_wrong_field_is_named_with_a_near_one(client: TestClient, problem: Problem) -> None:
    body = {"kind": "rest_sync", "conection": "shop", "priority": "now"}
    told = problem(client.post("/api/jobs", json=body), 422)
    by_field = {one["field"]: one for one in told["errors"]}
    assert by_field["body.conection"]["hint"] == "Did you mean connection?"
    assert "urgent" in by_field["body.priority"]["message"]
    assert told["type"] == "urn:headrace:invalid-request"


def test_a_wrong_field_further_in_has_a_near_one_of_its_place(
    client: TestClient, problem: Problem
) -> None:
    body = {"jobs": [{"key": "a", "kind": "rest_sync", "aftr": ["b"]}]}
    told = problem(client.post("/api/jobs/graph", json=body), 422)
    assert told["errors"][0]["field"] == "body.jobs.0.aftr"
    assert told["hint"] == "Did you mean after?"


@pytest.mark.parametrize(
    ("asked", "field", "hint"),
    [
        ("jobs?statuss=FAILED", "query.statuss", "Did you mean status?"),
        ("jobs?limit=0", "query.limit", ""),
        ("jobs?limit=lots", "query.limit", ""),
        ("search", "query.q", ""),
        ("search?q=a&kinds=events", "query.kinds", "Did you mean kind?"),
        ("search?q=a&since=yesterday", "query.since", ""),
        ("search?q=a&kind=mail", "query.kind.0", ""),
        ("dead-letters/x", "path.number", ""),
    ],
)
def test_a_wrong_parameter_is_named(
    client: TestClient, problem: Problem, asked: str, field: str, hint: str
) -> None:
    told = problem(client.get(f"/api/{asked}"), 422)
    assert (told["errors"][0]["field"], told["hint"]) == (field, hint)
    assert told["detail"].startswith(f"{field}: ")


@pytest.mark.parametrize("body", [b"", b"{", b"null", b"[]", b'"x"', b"\xff\xfe", b'{"kind": 1}'])
def test_a_body_that_is_not_one(client: TestClient, problem: Problem, body: bytes) -> None:
    sent = {"Content-Type": "application/json"}
    problem(client.post("/api/jobs", content=body, headers=sent), 422)


def test_a_body_of_another_type_is_not_guessed_at(client: TestClient, problem: Problem) -> None:
    """Covers CVE-2026-21858: what calls itself a form is not read as JSON."""
    sent = {"Content-Type": "application/x-www-form-urlencoded"}
    problem(client.post("/api/jobs", content=b'{"kind": "rest_sync"}', headers=sent), 422)


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_beyond_the_cap_is_refused(
    client: TestClient, problem: Problem, chunked: bool
) -> None:
    size = MAX_BODY + 1
    content: Any = iter([b" " * 65_536] * (size // 65_536 + 1)) if chunked else b" " * size
    sent = {"Content-Type": "application/json"}
    told = problem(client.post("/api/jobs", content=content, headers=sent), 413)
    assert "1,048,576" in told["detail"]


def test_an_unknown_path_and_a_wrong_method(client: TestClient, problem: Problem) -> None:
    assert problem(client.get("/api/job"), 404)["detail"] == "There is nothing at /api/job."
    answer = client.delete("/api/jobs")
    assert answer.headers["allow"] == "POST, GET"
    problem(answer, 405)


@pytest.mark.parametrize("path", ["jobs/a%00b", "jobs?kind=%00", "search?q=%00", "events/1/%00"])
def test_nul_is_answered(client: TestClient, path: str) -> None:
    assert client.get(f"/api/{path}").status_code in (200, 404, 422)


def test_a_payload_that_postgresql_cannot_hold(
    house: House, client: TestClient, problem: Problem
) -> None:
    house.connection()
    for payload in (rb'{"a": "\u0000"}', rb'{"a": "\ud800"}', b'{"a": NaN}'):
        body = b'{"kind": "rest_sync", "payload": ' + payload + b"}"
        sent = {"Content-Type": "application/json"}
        problem(client.post("/api/jobs", content=body, headers=sent), 422)
    assert house.execute("SELECT 1 FROM headrace.jobs") == []


class Breaks:
    """Stands in for the store's listing of jobs, and raises."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __call__(self, *_: object, **__: object) -> None:
        raise self._error


def failing(client: TestClient, monkeypatch: pytest.MonkeyPatch, error: Exception) -> Any:
    monkeypatch.setattr(jobs, "listing", Breaks(error))
    return client.get("/api/jobs")


def test_a_bug_says_nothing_of_the_inside(
    client: TestClient,
    problem: Problem,
    monkeypatch: pytest.MonkeyPatch,
    log: io.StringIO,
) -> None:
    """The answer carries a number, under which the log has everything."""
    told = problem(failing(client, monkeypatch, RuntimeError("canary at /srv/x")), 500)
    assert "canary" not in str(told)
    assert told["hint"] == "Report it with the request id."
    logged = json.loads(log.getvalue())
    assert "canary" in logged["exception"]
    assert logged["requestId"] == told["request_id"]


@pytest.mark.parametrize(
    "error",
    [
        psycopg.OperationalError("connection to canary.internal failed"),
        psycopg.errors.AdminShutdown("canary"),
        PoolTimeout("canary"),
        errors.Unavailable("canary"),
    ],
)
def test_a_database_that_is_away(
    client: TestClient, problem: Problem, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """503, when to come back, and nothing of hosts and accounts."""
    answer = failing(client, monkeypatch, error)
    assert "canary" not in str(problem(answer, 503))
    assert answer.headers["retry-after"] == "2"


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.BadInput("No.", hint="Yes."), 422),
        (errors.Skip("No.", hint="Yes."), 422),
        (errors.NeedsHuman("No.", hint="Yes."), 409),
        (errors.Expired("No.", hint="Yes."), 409),
        (errors.Retry("No.", after=7.2, hint="Yes."), 503),
        (errors.HeadraceError("No.", hint="Yes."), 500),
    ],
)
def test_every_error_of_ours_has_a_status(
    client: TestClient,
    problem: Problem,
    monkeypatch: pytest.MonkeyPatch,
    error: errors.HeadraceError,
    status: int,
) -> None:
    """Covers A3.49: one taxonomy, mapped in one place."""
    answer = failing(client, monkeypatch, error)
    told = problem(answer, status)
    assert (told["detail"], told["hint"]) == ("No.", "Yes.")
    assert (answer.headers.get("retry-after") == "8") == (status == 503)


def test_a_request_id_is_kept_or_made(client: TestClient) -> None:
    kept = client.get("/api/jobs", headers={"X-Request-ID": "trace-1:2.3"})
    assert kept.headers["x-request-id"] == "trace-1:2.3"
    for wrong in ("", "a b", "x" * 200, "{}"):
        made = client.get("/api/jobs", headers={"X-Request-ID": wrong}).headers["x-request-id"]
        assert made != wrong
        assert len(made) == 32


def test_nobody_on_the_way_keeps_an_answer(client: TestClient) -> None:
    for path in ("/api/jobs", "/api/nothing", "/health"):
        sent = client.get(path).headers
        assert sent["cache-control"] == "no-store"
        assert sent["x-content-type-options"] == "nosniff"
