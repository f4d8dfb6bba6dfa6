"""Accounts, synced and approved over HTTP: every answer is a job, or a preview."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from starlette.testclient import TestClient
from tests.accounts import connect
from tests.oauth.world import World, served

from headrace.api import create_app
from headrace.store import connections
from headrace.store.database import Database

if TYPE_CHECKING:
    from tests.api.conftest import Problem


@pytest.fixture
def world(store: Database) -> Iterator[World]:
    made = World(store, messages=120)
    with served(made.handle) as url:
        made.url = url
        yield made


@pytest.fixture
def ann(world: World, store: Database) -> Iterator[TestClient]:
    """The API, whose Google is the twin, with Ann's key."""
    from tests.api.conftest import House

    with TestClient(create_app(store, world.settings), raise_server_exceptions=False) as client:
        yield House(store, client).client()


def test_a_calendar_is_synced_at_once(ann: TestClient, world: World, store: Database) -> None:
    """Covers A3.17, A3.24, A3.52: the answer is the job; asked twice, it is the same job."""
    connect(store, world.google, "google_calendar")
    answers = [ann.post("/api/calendar/sync") for _ in range(2)]
    for answer in answers:
        assert answer.status_code == 202, answer.text
        said = answer.json()
        assert (said["success"], said["message"]) == (True, "Job created")
        assert [job["kind"] for job in said["jobs"]] == ["google_calendar_sync"]
    first, second = (answer.json()["jobs"][0]["job_id"] for answer in answers)
    assert first == second


def test_a_first_sync_is_previewed_and_approved(
    ann: TestClient, world: World, store: Database
) -> None:
    """Covers A3.18: nothing is fetched by the preview but what it takes to know."""
    row = connect(store, world.google, "gmail")
    with store.transaction() as session:
        connections.pause(session, row["connection_id"])
    said = ann.post("/api/sync/approve/gmail", json={"preview": True}).json()
    [preview] = said["previews"]
    assert preview["records"] >= 120
    assert preview["units"] > 5 * 120
    assert 0 < preview["minutes"] < 1
    assert said["jobs"] == []
    assert "messages.get" not in world.ask("/admin/stats")["calls"]
    with store.connection() as session:
        assert (connections.get(session, row["connection_id"]) or {})["health"] == "paused"
    said = ann.post("/api/sync/approve/gmail").json()
    assert [job["kind"] for job in said["jobs"]] == ["google_gmail_sync"]
    with store.connection() as session:
        assert (connections.get(session, row["connection_id"]) or {})["health"] == "active"


def test_what_is_not_there_is_said(
    ann: TestClient, world: World, store: Database, problem: Problem
) -> None:
    """None yet, none of that name, one of another provider, and a provider that is none."""
    assert "There is no gmail yet" in problem(ann.post("/api/gmail/sync"), 404)["detail"]
    row = connect(store, world.google, "google_calendar")
    named = {"connection": row["connection_id"]}
    told = problem(ann.post("/api/gmail/sync", json=named), 422)
    assert "is a connection of google_calendar" in told["detail"]
    problem(ann.post("/api/gmail/sync", json={"connection": "nobody"}), 404)
    assert ann.post("/api/outlook/sync").status_code in {404, 422}


def test_strangers_sync_nothing_of_others(
    ann: TestClient, world: World, store: Database, problem: Problem
) -> None:
    """Covers A4.8: by name or by id, and also without either."""
    from tests.api.conftest import House

    row = connect(store, world.google, "gmail")
    for who in (("other", "zoe", None), ("acme", "bob", "bob")):
        stranger = House(store, ann).client(*who)
        for body in ({}, {"connection": row["connection_id"]}, {"connection": row["name"]}):
            problem(stranger.post("/api/gmail/sync", json=body), 404)
            problem(stranger.post("/api/sync/approve/gmail", json=body), 404)
    with store.connection() as session:
        assert session.execute("SELECT FROM headrace.jobs").fetchall() == []


def test_one_users_accounts_are_synced(ann: TestClient, world: World, store: Database) -> None:
    """Covers A3.28: a key of one user makes that user's jobs, a key of the tenant everybody's."""
    from tests.api.conftest import House

    house = House(store, ann)
    mine, bobs = (house.connection(user=user, provider="gmail") for user in ("ann", "bob"))
    for key_user, wanted in (("ann", {mine}), (None, {mine, bobs})):
        said = house.client(key_user=key_user).post("/api/gmail/sync").json()
        assert {job["connection_id"] for job in said["jobs"]} == wanted
