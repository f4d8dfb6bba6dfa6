"""`/api/replay`: asked for, looked at, steered as any job; and of one's own rows only."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from starlette.testclient import TestClient

from headrace.engine import jobs, replay
from headrace.provider import Record

if TYPE_CHECKING:
    from tests.api.conftest import House

BOB, STRANGER = "bob", "zoe"


def work(house: House, job_id: str) -> None:
    begun = jobs.begin(house.store, job_id, 1, 10)
    assert begun
    jobs.conclude(house.store, job_id, 1, begun, replay.leg(house.store, job_id, 1))


@pytest.fixture
def stream(house: House) -> int:
    """A batch of three events, and another of Bob's."""
    theirs = house.stream(house.connection(BOB, name="theirs"))
    house.land(theirs, Record("x", b'{"id": "x"}'))
    stream = house.stream(house.connection())
    house.land(
        stream, *[Record(name, b'{"id": "%s", "type": "t"}' % name.encode()) for name in "abc"]
    )
    return stream


def test_a_replay_is_a_job(house: House, client: TestClient, stream: int) -> None:
    """Covers A3.31: with the parameters that it has elsewhere; its end says what it has done."""
    asked: dict[str, Any] = {"provider": "gmail,rest", "days": 30, "batchSize": 200}
    answer = client.post("/api/replay", params=asked)
    assert answer.status_code == 202, answer.text
    job = answer.json()
    assert (job["kind"], job["priority"], job["status"]) == ("replay", "low", "PENDING")
    assert client.post("/api/replay", params=asked).json()["job_id"] == job["job_id"]
    work(house, job["job_id"])
    ended = client.get(f"/api/replay/{job['job_id']}").json()
    assert (ended["status"], ended["batches"], ended["of"], ended["records"]) == (
        "SUCCEEDED", 2, 2, 4,
    )  # fmt: skip
    [listed] = client.get("/api/jobs", params={"kind": "replay"}).json()["items"]
    assert listed["job_id"] == job["job_id"]
    assert len(house.execute("SELECT 1 FROM headrace.events")) == 4


def test_a_dry_run_shows_its_findings(house: House, client: TestClient, stream: int) -> None:
    job = client.post("/api/replay", params={"dryRun": True, "connection": "shop"}).json()
    work(house, job["job_id"])
    found = client.get(f"/api/replay/{job['job_id']}").json()["findings"]
    assert found["tables"]["events"] == {"added": 3, "changed": 0, "removed": 0, "same": 0}
    assert {one["key"]["source_id"] for one in found["sample"]} == set("abc")
    assert not house.execute("SELECT 1 FROM headrace.events")


def test_of_ones_own_rows_only(
    house: House, stream: int, problem: Callable[..., dict[str, Any]]
) -> None:
    """A key of one user replays that user's; another tenant sees nothing of it."""
    bob = house.client(user=BOB, key_user=BOB)
    job = bob.post("/api/replay").json()
    work(house, job["job_id"])
    assert bob.get(f"/api/replay/{job['job_id']}").json()["of"] == 1
    problem(bob.post("/api/replay", params={"connection": "shop"}), 422)
    stranger = house.client(tenant="other", user=STRANGER)
    problem(stranger.get(f"/api/replay/{job['job_id']}"), 404)
    mine = stranger.post("/api/replay").json()["job_id"]
    work(house, mine)
    assert stranger.get(f"/api/replay/{mine}").json()["of"] == 0


@pytest.mark.parametrize(
    "asked",
    [
        {"days": 0},
        {"days": 91},
        {"batchSize": 201},
        {"provider": "gmial"},
        {"stage": "x"},
        {"a": 1},
    ],
)
def test_what_cannot_be_replayed_is_refused(
    client: TestClient, problem: Callable[..., dict[str, Any]], asked: dict[str, Any]
) -> None:
    problem(client.post("/api/replay", params=asked), 422)


def test_a_sync_is_no_replay(
    house: House, client: TestClient, problem: Callable[..., dict[str, Any]]
) -> None:
    problem(client.get(f"/api/replay/{house.job()}"), 404)
    problem(client.post("/api/jobs", json={"kind": "replay"}), 422)
