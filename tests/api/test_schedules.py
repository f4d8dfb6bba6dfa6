"""`/api/schedules`: made, shown, changed, run and refused."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from starlette.testclient import TestClient

if TYPE_CHECKING:
    from tests.api.conftest import House, Problem

WEEKLY = {"kind": "weekly_digest", "spec": "0 7 * * mon", "timezone": "Europe/Berlin"}


def make(client: TestClient, **wanted: Any) -> dict[str, Any]:
    answer = client.post("/api/schedules", json=wanted)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def test_a_digest_every_monday(house: House) -> None:
    """Covers A3.38: what was written, the same in words, and the next three runs."""
    client = house.client()
    made = make(client, **WEEKLY, missed="all", name="mondays")
    assert (made["kind"], made["payload"]) == ("insight", {"kind": "weekly_digest"})
    assert made["description"] == "at 0 7 * * mon in Europe/Berlin"
    runs = [datetime.fromisoformat(one) for one in made["next_runs"]]
    assert len(runs) == 3
    assert all(one > datetime.now(UTC) and one.isoweekday() == 1 for one in runs)
    assert {one.hour for one in runs} <= {5, 6}
    assert client.get(f"/api/schedules/{made['schedule_id']}").json() == made
    assert client.get("/api/schedules").json()["items"] == [made]
    assert client.get("/api/schedules?named=mondays").json()["items"] == [made]
    assert client.get("/api/schedules?named=tuesdays").json()["items"] == []
    other = make(client, spec="every 1d")
    page = client.get("/api/schedules?limit=1").json()
    assert page["items"] == [made]
    after = client.get(f"/api/schedules?limit=1&cursor={page['next']}").json()
    assert (after["items"], after["next"]) == ([other], None)


def test_a_name_is_that_of_one_schedule(house: House, problem: Problem) -> None:
    """Asked for twice it is there once; and nobody gets the name of another's."""
    client = house.client()
    made = make(client, **WEEKLY, name="mondays")
    told = problem(client.post("/api/schedules", json={**WEEKLY, "name": "mondays"}), 409)
    assert made["schedule_id"] in told["hint"]
    other = make(client, **WEEKLY, name="again")
    there = f"/api/schedules/{other['schedule_id']}"
    problem(client.patch(there, json={"name": "mondays"}), 409)
    assert client.patch(there, json={"name": "again"}).status_code == 200


def test_a_replay_that_nobody_could_ask_for_is_refused(house: House, problem: Problem) -> None:
    for payload, says in (({"days": 0}, "days"), ({"stage": "parze"}, "parze")):
        asked = {"kind": "replay", "spec": "every 1d", "payload": payload}
        told = problem(house.client().post("/api/schedules", json=asked), 422)
        assert says in told["detail"]


def test_a_connection_has_one(house: House, problem: Problem) -> None:
    """Covers A0.22: its own cadence is that one, wherever it is asked for."""
    client, connection = house.client(), house.connection()
    made = make(client, connection="shop", spec="every 15m")
    assert (made["connection_id"], made["connection"]) == (connection, "shop")
    told = problem(client.post("/api/schedules", json={"connection": "shop", "spec": "1h"}), 409)
    assert made["schedule_id"] in told["hint"]
    [row] = client.get("/api/connections").json()["items"]
    assert (row["every_seconds"], row["schedule"]) == (900, "every 15m")
    assert row["next_sync_at"] == made["next_runs"][0]
    there = f"/api/schedules/{made['schedule_id']}"
    client.patch(f"/api/connections/{connection}", json={"every_minutes": 60})
    assert client.get(there).json()["spec"] == "every 1h"
    changed = client.patch(there, json={"spec": "learned 5m to 1h"}).json()
    assert "begins with the shortest span" in changed["why"]
    assert changed["every_seconds"] == 300
    assert client.delete(there).status_code == 204
    problem(client.get(there), 404)
    assert client.get("/api/connections").json()["items"][0]["schedule"] is None


def test_paused_resumed_and_run(house: House, problem: Problem) -> None:
    """Covers A3.38: a pause is not made up for, and a run by hand changes nothing of the next."""
    client, connection = house.client(), house.connection()
    made = make(client, connection=connection, spec="every 1h")
    there = f"/api/schedules/{made['schedule_id']}"
    assert client.post(f"{there}/pause").json()["next_runs"] == []
    [row] = client.get("/api/connections").json()["items"]
    assert row["next_sync_at"] is None
    house.execute("UPDATE headrace.schedules SET next_at = now() - interval '1 week'")
    resumed = client.post(f"{there}/resume").json()
    assert datetime.fromisoformat(resumed["next_runs"][0]) > datetime.now(UTC)
    ran = client.post(f"{there}/run")
    assert ran.status_code == 202
    again = client.post(f"{there}/run").json()
    assert again["jobs"][0]["job_id"] == ran.json()["jobs"][0]["job_id"]
    assert client.get(there).json()["next_runs"] == resumed["next_runs"]
    client.patch(f"/api/connections/{connection}", json={"paused": True})
    told = problem(client.post(f"{there}/run"), 409)
    assert told["detail"] == "The connection shop cannot be synced: paused."


def test_every_connection_at_once(house: House, problem: Problem) -> None:
    """Covers A0.12: run by hand; those of others are not touched. A user's own key
    does not see what is done for the whole tenant."""
    for name in ("a", "b"):
        house.connection(name=name)
    house.connection("zoe", "other", "foreign")
    house.connection("bob", name="his")
    made = make(house.client(), spec="every 1h")
    assert house.client().post(f"/api/schedules/{made['schedule_id']}/run").json()["count"] == 3
    ann = house.client(key_user="ann")
    problem(ann.get(f"/api/schedules/{made['schedule_id']}"), 404)
    own = make(ann, spec="every 1h", name="mine")
    assert ann.get("/api/schedules").json()["items"] == [own]
    nothing = ann.post(f"/api/schedules/{own['schedule_id']}/run").json()
    assert (nothing["count"], nothing["jobs"]) == (0, [])
    assert len(house.execute("SELECT 1 FROM headrace.jobs")) == 3
    assert len(house.execute("SELECT 1 FROM dbos.workflow_status")) == 3


@pytest.mark.parametrize(
    ("wanted", "status", "says"),
    [
        ({"spec": "0 0 30 2 *"}, 422, "The cron '0 0 30 2 *' never comes."),
        ({"spec": "61 * * * *"}, 422, "is no cron that can be read"),
        ({"spec": "every 0s"}, 422, "more often than anything is run"),
        ({"spec": "every 1s"}, 422, "more often than anything is run"),
        ({"spec": "0 7 * * *", "timezone": "Europe/Berln"}, 422, "no time zone 'Europe/Berln'"),
        ({"spec": "1h", "kind": "gmial_sync"}, 422, "Unknown job kind: gmial_sync"),
        ({"spec": "1h", "connection": "foreign"}, 404, "There is no connection 'foreign'."),
        ({"spec": "1h", "kind": "replay", "connection": "shop"}, 422, "has no connection"),
        ({"spec": "1h", "kind": "gmail_sync", "connection": "shop"}, 422, "not one of gmail"),
        ({"spec": "1h", "missed": "all"}, 422, "made up for by the next one"),
        ({"spec": "1h", "jitter": -1}, 422, "jitter"),
        ({"spec": "1h", "evrey": 1}, 422, "no such field"),
        ({}, 422, "spec"),
    ],
)
def test_what_cannot_be_used(
    house: House, problem: Problem, wanted: dict[str, Any], status: int, says: str
) -> None:
    house.connection()
    house.connection("zoe", "other", "foreign")
    told = problem(house.client().post("/api/schedules", json=wanted), status)
    assert says in told["detail"]
    assert house.execute("SELECT 1 FROM headrace.schedules") == []
    if wanted.get("connection") != "shop" and status == 422 and "kind" not in wanted:
        made = make(house.client(), connection="shop", spec="1h")
        there = f"/api/schedules/{made['schedule_id']}"
        problem(house.client().patch(there, json=wanted or {"spec": ""}), 422)
        assert house.client().get(there).json() == made
