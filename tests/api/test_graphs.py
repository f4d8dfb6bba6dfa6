"""`after`, `/api/jobs/graph` and `tree`: jobs that wait for jobs, over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from starlette.testclient import TestClient

if TYPE_CHECKING:
    from tests.api.conftest import House, Problem


@pytest.fixture
def shops(house: House) -> list[str]:
    """Connections: shop0 to shop3."""
    return [house.connection(name=f"shop{number}") for number in range(4)]


def job(key: str, shop: int, *after: str, **more: Any) -> dict[str, Any]:
    asked = {"key": key, "kind": "rest_sync", "connection": f"shop{shop}", "after": list(after)}
    return asked | more


GRAPH = [job("a", 0), job("b", 1, "a"), job("c", 2, "a"), job("d", 3, "b", "c", when="ended")]


def make(client: TestClient, *jobs: dict[str, Any], **headers: str) -> Any:
    return client.post("/api/jobs/graph", json={"jobs": list(jobs)}, headers=headers)


def status(client: TestClient, *ids: str) -> list[str]:
    found = [client.get(f"/api/jobs/{one}").json() for one in ids]
    return ["waits" if one["waits"] else one["status"] for one in found]


def test_a_graph_is_made_and_drawn(client: TestClient, shops: list[str], house: House) -> None:
    """Covers A3.44: nodes and edges, from whichever of its jobs one looks."""
    answer = make(client, *GRAPH)
    assert answer.status_code == 202
    ids = answer.json()["jobs"]
    assert answer.json()["message"] == "4 jobs created"
    assert status(client, *ids.values()) == ["PENDING", "waits", "waits", "waits"]
    found = client.get(f"/api/jobs/{ids['c']}/graph").json()
    assert [node["job_id"] for node in found["nodes"]] == [ids[key] for key in "abcd"]
    assert [node["connection"] for node in found["nodes"]] == ["shop0", "shop1", "shop2", "shop3"]
    assert {tuple(edge.values()) for edge in found["edges"]} == {
        (ids["a"], ids["b"], "succeeded"),
        (ids["a"], ids["c"], "succeeded"),
        (ids["b"], ids["d"], "ended"),
        (ids["c"], ids["d"], "ended"),
    }
    assert found["truncated"] is False
    assert len(house.execute("SELECT workflow_uuid FROM dbos.workflow_status")) == 1


def test_a_job_of_a_graph_has_its_own_deadline(
    client: TestClient, shops: list[str], house: House
) -> None:
    made = make(client, job("a", 0, deadline_seconds=60), job("b", 1, "a")).json()["jobs"]
    rows = house.execute("SELECT job_id, deadline_seconds FROM headrace.jobs")
    assert {row["job_id"]: row["deadline_seconds"] for row in rows} == {
        made["a"]: 60,
        made["b"]: None,
    }


def test_a_job_after_others(client: TestClient, shops: list[str], problem: Problem) -> None:
    first = client.post("/api/jobs", json={"kind": "rest_sync", "connection": "shop0"}).json()
    body = {"kind": "rest_sync", "connection": "shop1", "after": [first["job_id"]]}
    key = {"Idempotency-Key": "then"}
    then = client.post("/api/jobs", json=body, headers=key).json()
    assert (then["status"], then["waits"]) == ("PENDING", True)
    shown = client.get(f"/api/jobs/{then['job_id']}").json()
    assert shown["after"] == shown["waiting_for"] == [first["job_id"]]
    assert shown["when"] == "succeeded"
    assert client.post("/api/jobs", json=body, headers=key).json()["job_id"] == then["job_id"]
    other = {**body, "when": "ended"}
    told = problem(client.post("/api/jobs", json=other, headers=key), 409)
    assert then["job_id"] in told["detail"]
    for path, asked in (("jobs", body), ("insights", {"kind": "weekly_digest"})):
        told = problem(client.post(f"/api/{path}", json={**asked, "after": ["nobody"]}), 404)
        assert told["detail"] == "There is no job nobody."
    insights = client.post(
        "/api/insights", json={"kind": "weekly_digest", "after": [then["job_id"]]}
    ).json()
    assert client.get(f"/api/jobs/{insights['job_id']}").json()["waiting_for"] == [then["job_id"]]


def test_the_turn_of_a_connection_is_waited_for(client: TestClient, shops: list[str]) -> None:
    """A job of a graph is new, whatever its connection is busy with, and says what it waits for."""
    busy = client.post("/api/jobs", json={"kind": "rest_sync", "connection": "shop0"}).json()
    [ours] = make(client, job("a", 0)).json()["jobs"].values()
    shown = client.get(f"/api/jobs/{ours}").json()
    assert (shown["waits"], shown["after"], shown["waiting_for"]) == (True, [], [busy["job_id"]])
    client.post(f"/api/jobs/{busy['job_id']}/cancel")
    assert status(client, ours) == ["PENDING"]


def test_a_tree_is_cancelled_and_retried(
    client: TestClient, shops: list[str], problem: Problem
) -> None:
    """Covers A3.44: with `tree` what hangs on a job follows it, whatever it was to wait for."""
    ids = make(client, *GRAPH).json()["jobs"]
    done = client.post(f"/api/jobs/{ids['a']}/cancel").json()
    assert done["jobs"] == [ids["a"]]
    assert status(client, *ids.values()) == ["CANCELLED", "CANCELLED", "CANCELLED", "PENDING"]
    shown = client.get(f"/api/jobs/{ids['b']}").json()
    assert shown["stopped_by"] == ids["a"]
    assert shown["last_error"] == f"It waited for job {ids['a']}, which was cancelled."
    client.post(f"/api/jobs/{ids['a']}/retry")
    assert status(client, *ids.values()) == ["PENDING", "waits", "waits", "PENDING"]
    done = client.post(f"/api/jobs/{ids['a']}/cancel?tree=true").json()
    assert sorted(done["jobs"]) == sorted(ids.values())
    told = problem(client.post(f"/api/jobs/{ids['a']}/cancel?tree=true"), 409)
    assert "cannot be cancelled" in told["detail"]
    told = problem(client.post(f"/api/jobs/{ids['b']}/retry"), 409)
    assert told["detail"].endswith(f"it waits for job {ids['a']}.")
    done = client.post(f"/api/jobs/{ids['a']}/retry?tree=true").json()
    assert sorted(done["jobs"]) == sorted(ids.values())
    assert status(client, *ids.values()) == ["PENDING", "waits", "waits", "waits"]
    told = problem(client.post(f"/api/jobs/{ids['a']}/retry?tree=true"), 409)
    assert told["hint"] == "Nothing of it failed."


def test_the_same_key_the_same_graph(
    client: TestClient, shops: list[str], problem: Problem, house: House
) -> None:
    """Covers A4.4: sent twice it is made once; used for anything else it is 409."""
    key = {"Idempotency-Key": "monday"}
    first = make(client, *GRAPH, **key).json()
    second = make(client, *GRAPH, **key).json()
    assert second["jobs"] == first["jobs"]
    assert second["message"] == "These jobs had been created before"
    for other in (GRAPH[:3], [*GRAPH[:3], job("d", 3, "b", "c")]):
        problem(make(client, *other, **key), 409)
    problem(
        client.post("/api/jobs", json={"kind": "rest_sync", "connection": "shop1"}, headers=key),
        409,
    )
    assert len(house.execute("SELECT job_id FROM headrace.jobs")) == 4
    assert make(client, *GRAPH, **{"Idempotency-Key": "tuesday"}).json()["jobs"] != first["jobs"]


@pytest.mark.parametrize(
    ("jobs", "detail", "hint"),
    [
        ([job("a", 0, "a")], "Job 'a' is to wait for itself.", ""),
        ([job("a", 0, "b"), job("b", 1, "a")], "in a circle: 'a' waits for 'b' waits", "Leave out"),
        ([job("a", 0, "z")], "Job 'a' is to wait for 'z', which there is not.", "keys of the same"),
        ([job("a", 0, kind="rest_snyc")], "Job 'a': Unknown job kind", "rest_sync"),
        ([job("a", 0, when="later")], "body.jobs.0.when", ""),
        ([], "body.jobs", ""),
        ([job(f"k{number}", 0) for number in range(1001)], "body.jobs", ""),
    ],
    ids=["itself", "circle", "unknown", "kind", "when", "none", "many"],
)
def test_what_is_no_graph(
    client: TestClient,
    shops: list[str],
    problem: Problem,
    house: House,
    jobs: list[dict[str, Any]],
    detail: str,
    hint: str,
) -> None:
    """Bad input is one sentence, and nothing of it is made."""
    told = problem(make(client, *jobs), 422)
    assert detail in told["detail"]
    assert hint in told["hint"]
    assert house.execute("SELECT job_id FROM headrace.jobs") == []


def test_what_has_failed_is_not_waited_for(
    client: TestClient, shops: list[str], problem: Problem
) -> None:
    [first] = make(client, job("a", 0)).json()["jobs"].values()
    client.post(f"/api/jobs/{first}/cancel")
    told = problem(make(client, job("b", 1, first)), 422)
    assert told["detail"] == f"Job {first}, which is to be waited for, was cancelled."
    made = make(client, job("b", 1, first, when="ended")).json()["jobs"]
    assert status(client, made["b"]) == ["PENDING"]


def test_a_job_of_somebody_else_is_not_there(
    house: House, client: TestClient, shops: list[str], problem: Problem
) -> None:
    """Covers A4.8: as one that does not exist, in a graph and after one job; and a graph shows a
    caller only what is theirs."""
    [ours] = make(client, job("a", 0)).json()["jobs"].values()
    house.connection("zoe", "other", "own")
    stranger = house.client("other", "zoe")
    for one in (ours, "nobody"):
        body = {"kind": "rest_sync", "connection": "own", "after": [one]}
        assert problem(stranger.post("/api/jobs", json=body), 404)["detail"].endswith(f"{one}.")
        asked = make(stranger, job("b", 0, one) | {"connection": "own"})
        assert (
            problem(asked, 422)["detail"] == f"Job 'b' is to wait for {one!r}, which there is not."
        )
    house.connection("bob", name="bobs")
    both = make(client, job("c", 0, ours) | {"connection": "bobs"}).json()["jobs"]
    bob = house.client(key_user="bob")
    found = bob.get(f"/api/jobs/{both['c']}/graph").json()
    assert [node["job_id"] for node in found["nodes"]] == [both["c"]]
    assert found["edges"] == []
