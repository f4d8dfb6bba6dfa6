"""`/api/jobs`: asked for, looked at, steered; never run in the API's process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.testclient import TestClient
from tests.api.conftest import TIME

from headrace import plugins, telemetry
from headrace.engine.lanes import band
from headrace.provider import Record
from headrace.store import job_lines

if TYPE_CHECKING:
    import pytest
    from tests.api.conftest import House, Problem

BODY = {"kind": "rest_sync", "connection": "shop"}


def test_asking_makes_a_job_and_a_place_on_the_queue(house: House, client: TestClient) -> None:
    """Covers A3.10, A3.19, A3.24, A3.25: one row and one place on the queue, and nothing is run."""
    connection = house.connection()
    answer = client.post("/api/jobs", json={**BODY, "priority": "urgent", "payload": {"a": 1}})
    assert answer.status_code == 202
    job = answer.json()
    assert job["success"] is True
    assert job["message"] == "Job created"
    assert (job["kind"], job["status"], job["priority"]) == ("rest_sync", "PENDING", "urgent")
    assert (job["connection_id"], job["payload"]) == (connection, {"a": 1})
    [queued] = house.execute("SELECT workflow_uuid, status, priority FROM dbos.workflow_status")
    first, _ = band("urgent", "interactive")
    assert queued == {"workflow_uuid": job["job_id"], "status": "ENQUEUED", "priority": first}


def test_a_connection_is_named_by_id_too_or_not_at_all(house: House, client: TestClient) -> None:
    connection = house.connection()
    by_id = client.post("/api/jobs", json={**BODY, "connection": connection}).json()
    alone = client.post("/api/jobs", json={"kind": "rest_sync"}).json()
    assert by_id["job_id"] == alone["job_id"], "one job at a time for one connection"
    assert alone["message"] == "This job had been created before"


def test_an_ambiguous_name_is_asked_about(
    house: House, client: TestClient, problem: Problem
) -> None:
    first, second = house.connection(), house.connection(user="bob")
    told = problem(client.post("/api/jobs", json=BODY), 422)
    assert told["detail"] == "More than one connection fits."
    assert first in told["hint"]
    assert client.post("/api/jobs", json={**BODY, "connection": second}).json()["user_id"] == "bob"


def test_an_unknown_kind_is_refused_with_a_near_one(
    house: House, client: TestClient, problem: Problem
) -> None:
    """Covers A1.24, A3.35."""
    house.connection()
    told = problem(client.post("/api/jobs", json={**BODY, "kind": "rest_snyc"}), 422)
    assert told["detail"] == "Unknown job kind: rest_snyc"
    assert told["hint"] == "Did you mean rest_sync?"


def test_an_alias_is_stored_as_its_kind(
    house: House, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Covers X3: an alias on intake, the canonical kind in the row."""
    monkeypatch.setattr(plugins.provider("rest"), "aliases", ("rest:fetch",))
    house.connection()
    assert client.post("/api/jobs", json={"kind": "rest:fetch"}).json()["kind"] == "rest_sync"
    assert len(client.get("/api/jobs?kind=rest:fetch").json()["items"]) == 1


def test_a_connection_of_another_provider_is_refused(
    house: House, client: TestClient, problem: Problem
) -> None:
    house.connection(name="mail", provider="mailbox")
    told = problem(client.post("/api/jobs", json={**BODY, "connection": "mail"}), 422)
    assert "needs a connection of the provider rest" in told["detail"]
    problem(client.post("/api/jobs", json={**BODY, "connection": "none"}), 404)
    problem(client.post("/api/jobs", json={"kind": "rest_sync"}), 422)


def test_the_same_idempotency_key_is_the_same_job(
    house: House, client: TestClient, problem: Problem
) -> None:
    house.connection()
    house.connection(name="other")
    key = {"Idempotency-Key": "once"}
    first = client.post("/api/jobs", json=BODY, headers=key).json()
    house.execute("UPDATE headrace.jobs SET status = 'SUCCEEDED', completed_at = now()")
    again = client.post("/api/jobs", json=BODY, headers=key).json()
    assert again["job_id"] == first["job_id"]
    assert again["status"] == "SUCCEEDED"
    fresh = client.post("/api/jobs", json=BODY, headers={"Idempotency-Key": "twice"}).json()
    assert fresh["job_id"] != first["job_id"]
    other = client.post("/api/jobs", json={**BODY, "connection": "other"}, headers=key)
    assert "which is another one" in problem(other, 409)["detail"]
    assert len(house.execute("SELECT 1 FROM dbos.workflow_status")) == 2


def test_two_users_may_use_the_same_idempotency_key(house: House) -> None:
    house.connection()
    house.connection(user="bob")
    key = {"Idempotency-Key": "once"}
    made = {
        user: house.client(key_user=user).post("/api/jobs", json=BODY, headers=key).json()
        for user in ("ann", "bob")
    }
    assert made["ann"]["job_id"] != made["bob"]["job_id"]
    assert [made[user]["user_id"] for user in made] == ["ann", "bob"]


def test_a_page_of_jobs_leads_to_the_next(house: House, client: TestClient) -> None:
    """Newest first, each of them once."""
    made = [house.job() for _ in range(5)]
    seen, after = [], ""
    while after is not None:
        page = client.get(f"/api/jobs?limit=2{after and '&cursor=' + after}").json()
        seen += [job["job_id"] for job in page["items"]]
        after = page["next"]
    assert sorted(seen) == sorted(made)
    times = [job["created_at"] for job in client.get("/api/jobs").json()["items"]]
    assert times == sorted(times, reverse=True)
    assert all(time.endswith("Z") for time in times)


def test_both_vocabularies_are_understood(
    house: House, client: TestClient, problem: Problem
) -> None:
    """Covers A3.33, X1: the other words on the listing alone, as a filter and on demand."""
    over, waiting = house.job(), house.job()
    house.execute(
        "UPDATE headrace.jobs SET status = 'SUCCEEDED', completed_at = now() WHERE job_id = %s",
        over,
    )
    for word in ("completed", "SUCCEEDED", "succeeded"):
        [found] = client.get(f"/api/jobs?status={word}").json()["items"]
        assert (found["job_id"], found["status"]) == (over, "SUCCEEDED")
    [found] = client.get("/api/jobs?status=queued&words=seed").json()["items"]
    assert (found["job_id"], found["status"]) == (waiting, "queued")
    told = problem(client.get("/api/jobs?status=complete"), 422)
    assert told["hint"] == "Did you mean completed?"
    problem(client.get("/api/jobs?cursor=nonsense"), 422)


def test_a_job_shows_what_it_has_landed_so_far(house: House, client: TestClient) -> None:
    """Live counts, and the batches that stages have before them."""
    stream = house.stream(house.connection())
    job = house.job()
    house.land(stream, Record("a", b"{}"), Record("b", b"{}"), job=job)
    house.land(stream, Record("a", b"{}"), job=job)
    shown = client.get(f"/api/jobs/{job}").json()
    assert shown["status"] == "PENDING"
    progress = shown["progress"]
    assert (progress["fetched"], progress["inserted"], progress["unchanged"]) == (3, 2, 1)
    assert (progress["pages"], progress["batches"], progress["total"]) == (2, 2, None)
    assert sum(shown["stages_pending"].values()) == 1


def test_cancelling_ends_a_job_once(house: House, client: TestClient, problem: Problem) -> None:
    """Covers A4.1."""
    job = house.job()
    answer = client.post(f"/api/jobs/{job}/cancel")
    assert (answer.status_code, answer.json()["status"]) == (200, "CANCELLED")
    problem(client.post(f"/api/jobs/{job}/cancel"), 409)


def test_a_job_that_is_over_can_be_retried(
    house: House, client: TestClient, problem: Problem
) -> None:
    """A new turn on the queue, under the same id."""
    house.connection()
    job = client.post("/api/jobs", json=BODY).json()["job_id"]
    problem(client.post(f"/api/jobs/{job}/retry"), 409)
    client.post(f"/api/jobs/{job}/cancel")
    answer = client.post(f"/api/jobs/{job}/retry")
    assert (answer.status_code, answer.json()["status"]) == (202, "PENDING")
    queued = house.execute("SELECT workflow_uuid FROM dbos.workflow_status ORDER BY 1")
    assert [row["workflow_uuid"] for row in queued] == [job, f"{job}/2"]


def test_a_retry_waits_for_its_connection(
    house: House, client: TestClient, problem: Problem
) -> None:
    house.connection()
    job = client.post("/api/jobs", json=BODY).json()["job_id"]
    client.post(f"/api/jobs/{job}/cancel")
    client.post("/api/jobs", json=BODY)
    told = problem(client.post(f"/api/jobs/{job}/retry"), 409)
    assert "another job under way" in told["detail"]


def test_the_runner_finds_what_was_forgotten(house: House, client: TestClient) -> None:
    """Covers A3.7, A3.26, A3.32: a sweep of the queue, which nobody ever needs."""
    for _ in range(12):
        house.job()
    first = client.post("/api/jobs/runner").json()
    assert first["success"] is True
    assert (first["jobs"], first["message"]) == (12, "Processing...")
    assert len(first["waiting"]) == 10
    again = client.post("/api/jobs/runner", json={"limit": 20}).json()
    assert (again["jobs"], len(again["waiting"])) == (0, 12)
    assert len(house.execute("SELECT 1 FROM dbos.workflow_status")) == 12


def test_the_runner_tells_a_caller_of_their_own_only(house: House, client: TestClient) -> None:
    """It puts back whatever was forgotten; how much of it others have is theirs to know."""
    stranger, bob = house.client("other", "zoe"), house.client(key_user="bob")
    for user, tenant in (("ann", "acme"), ("ann", "acme"), ("zoe", "other"), ("kim", "third")):
        house.job(user, tenant)
    told = stranger.post("/api/jobs/runner").json()
    assert (told["jobs"], told["stages"], len(told["waiting"])) == (1, 0, 1)
    assert len(house.execute("SELECT 1 FROM dbos.workflow_status")) == 4
    house.execute("DELETE FROM dbos.workflow_status")
    assert bob.post("/api/jobs/runner").json()["jobs"] == 0
    house.execute("DELETE FROM dbos.workflow_status")
    assert client.post("/api/jobs/runner").json()["jobs"] == 2


def test_jobs_of_a_connection_and_since_a_time(
    house: House, client: TestClient, problem: Problem
) -> None:
    shop = house.connection()
    old, new = house.job(connection_id=shop), house.job()
    house.execute("UPDATE headrace.jobs SET created_at = '2020-01-01' WHERE job_id = %s", old)
    for asked, wanted in {
        "connection=shop": [old],
        f"connection={shop}": [old],
        "since=2021-01-01T00:00:00Z": [new],
        "since=2021-01-01T00:00:00Z&connection=shop": [],
    }.items():
        found = client.get(f"/api/jobs?{asked}").json()["items"]
        assert [one["job_id"] for one in found] == wanted
    problem(client.get("/api/jobs?connection=nowhere"), 404)


def test_the_log_and_the_steps_of_a_job(house: House, client: TestClient) -> None:
    """What was said of it, and what the engine has begun of it."""
    job = client.post("/api/jobs", json={"kind": "extract_contacts"}).json()["job_id"]
    line = telemetry.Line(job, TIME, "info", "asked_again", {"why": "Later."})
    with house.store.transaction() as session:
        job_lines.keep(session, [line])
    [said] = client.get(f"/api/jobs/{job}/log").json()["items"]
    assert (said["event"], said["facts"]) == ("asked_again", {"why": "Later."})
    found = client.get(f"/api/jobs/{job}/steps").json()
    assert found["steps"] == []
    assert [(one["turn"], one["status"]) for one in found["turns"]] == [(1, "ENQUEUED")]
