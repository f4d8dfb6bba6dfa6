"""`/api/insights`: asked for, listed and shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from starlette.testclient import TestClient

if TYPE_CHECKING:
    from tests.api.conftest import House, Problem

CONTACT = "contact:0b9c1b52-6c3e-4a0e-8a55-3f1c2d4e5f60"


@pytest.fixture
def stream(house: House) -> int:
    made = house.stream(house.connection())
    house.mail(made, "m1")
    return made


def test_asking_makes_a_job(house: House, client: TestClient) -> None:
    """Covers A3.14, X7, A3.10: at once, and nothing is made in the request."""
    answer = client.post("/api/insights", json={"kind": "weekly_digest"})
    assert answer.status_code == 202
    made = answer.json()
    assert (made["kind"], made["status"], made["priority"]) == ("insight", "PENDING", "low")
    assert made["payload"] == {"wanted": [{"kind": "weekly_digest", "subject": None}]}
    [queued] = house.execute(
        "SELECT queue_name FROM dbos.workflow_status WHERE workflow_uuid = %s", made["job_id"]
    )
    assert queued["queue_name"] == "headrace_insights"
    [listed] = client.get("/api/jobs?kind=insight").json()["items"]
    assert listed["job_id"] == made["job_id"]
    assert client.get(f"/api/jobs/{made['job_id']}").status_code == 200
    assert client.post(f"/api/jobs/{made['job_id']}/cancel").json()["status"] == "CANCELLED"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"kind": "thread_sumary"}, 422),
        ({"kind": "lead_score", "subject": "bob"}, 422),
        ({"kind": "thread_summary", "subject": "thread:\0"}, 422),
        ({"kind": "lead_score", "subject": CONTACT}, 404),
        ({"kind": "thread_summary", "subject": "thread:nowhere"}, 404),
        (
            {"kind": "duplicate_contact_suspected", "subject": f"pair:{CONTACT[8:]}:{CONTACT[8:]}"},
            404,
        ),
    ],
)
def test_what_cannot_be_made_makes_no_job(
    house: House, client: TestClient, problem: Problem, body: dict[str, Any], status: int
) -> None:
    told = problem(client.post("/api/insights", json=body), status)
    assert told["hint"]
    assert house.execute("SELECT 1 FROM headrace.jobs") == []


def test_jobs_says_where_insights_are_asked_for(client: TestClient, problem: Problem) -> None:
    told = problem(client.post("/api/jobs", json={"kind": "insight"}), 422)
    assert "POST /api/insights" in told["hint"]


def test_the_newest_come_first_page_by_page(house: House, client: TestClient, stream: int) -> None:
    numbers = [house.insight(stream, "m1", subject=f"thread:{n}") for n in range(5)]
    first = client.get("/api/insights?limit=3").json()
    second = client.get("/api/insights", params={"limit": 3, "cursor": first["next"]}).json()
    found = [one["insight_id"] for one in first["items"] + second["items"]]
    assert found == numbers[::-1]
    assert second["next"] is None


def test_filters(house: House, client: TestClient, stream: int) -> None:
    house.insight(stream, "m1", kind="lead_score", subject=CONTACT, priority="high")
    house.insight(stream, "m1")
    for asked in ({"kind": "lead_score"}, {"subject": CONTACT}, {"priority": ["high", "urgent"]}):
        [found] = client.get("/api/insights", params=asked).json()["items"]
        assert found["subject"] == CONTACT
    assert client.get("/api/insights?since=2100-01-01T00:00:00Z").json()["items"] == []
    assert client.get("/api/insights?job=nobody").json()["items"] == []


@pytest.mark.parametrize(
    "asked", ["kind=lead_scor", "priority=most", "cursor=abc", "cursor=WyJhIl0"]
)
def test_a_filter_that_cannot_be_is_a_problem(
    client: TestClient, problem: Problem, asked: str
) -> None:
    problem(client.get(f"/api/insights?{asked}"), 422)


def test_one_says_who_made_it_and_whether_it_is_outdated(
    house: House, client: TestClient, stream: int
) -> None:
    number = house.insight(stream, "m1")
    found = client.get(f"/api/insights/{number}").json()
    assert found["disclosure"] == "Made by rules, not by a language model."
    assert found["sources"][0]["quote"] == "Please pay"
    assert found["outdated"] is False
    house.execute("UPDATE headrace.interactions SET version = 2")
    assert client.get(f"/api/insights/{number}").json()["outdated"] is True
