"""`/api/contacts`: looked at, merged, parted and answered by whom they belong to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest
from starlette.testclient import TestClient
from tests.api.conftest import ANN, BOB, STRANGER, TENANT

from headrace.people import graph
from headrace.people.graph import Link

if TYPE_CHECKING:
    from tests.api.conftest import House, Problem


def identity(house: House, value: str, name: str, *, user: str = ANN, tenant: str = TENANT) -> str:
    """One identity, a contact of its own."""
    made = uuid4()
    house.execute(
        "INSERT INTO headrace.contact_identities (tenant_id, user_id, identity_id, kind, value,"
        " canonical, name, last_seen_at, batch_id)"
        " VALUES (%s, %s, %s, 'email', %s, %s, %s, '2026-01-01', 1)",
        *(tenant, user, made, value, value, name),
    )
    with house.store.transaction() as session:
        graph.show(session, tenant, graph.regroup(session, tenant, user, [made]))
    return str(made)


def suggest(house: House, one: str, other: str) -> int:
    """A rule says that two may be one. Its number."""
    first, second = graph.pair(UUID(one), UUID(other))
    evidence = {"names": ["A", "A"], "values": ["a", "b"]}
    link = Link((first, second), "suggested", "fuzzy", 0.7, evidence)
    with house.store.transaction() as session:
        graph.rule(session, TENANT, ANN, 1, [link])
    [found] = house.execute("SELECT max(link_id) AS n FROM headrace.contact_links")
    return int(found["n"])


@pytest.fixture
def two(house: House) -> tuple[str, str]:
    return (
        identity(house, "john@acme.example", "John Smith"),
        identity(house, "zoe@other.example", "Zoe Adler"),
    )


def test_listed_page_by_page_and_found(client: TestClient, house: House) -> None:
    made = {identity(house, f"p{n}@acme.example", f"Person {n}") for n in range(5)}
    house.execute("UPDATE headrace.contacts SET last_seen_at = NULL WHERE email LIKE 'p1%%'")
    seen: list[str] = []
    asked: dict[str, Any] = {"limit": 2}
    while True:
        page = client.get("/api/contacts", params=asked).json()
        seen += [row["contact_id"] for row in page["items"]]
        if page["next"] is None:
            break
        asked["cursor"] = page["next"]
    assert sorted(seen) == sorted(made)
    [found] = client.get("/api/contacts", params={"q": "P3@acme"}).json()["items"]
    assert found["name"] == "Person 3"


def test_merged_and_parted(client: TestClient, two: tuple[str, str], problem: Problem) -> None:
    """Covers A1.44: any identity's id finds the contact, with the reasons why it is one."""
    john, zoe = two
    merged = client.post("/api/contacts/merge", json={"contacts": [john, zoe]}).json()
    assert {each["identity_id"] for each in merged["of"]} == {john, zoe}
    assert [(link["decision"], link["decided_by"]) for link in merged["links"]] == [
        ("same", f"person:{ANN}")
    ]
    assert client.get(f"/api/contacts/{zoe}").json() == client.get(f"/api/contacts/{john}").json()
    told = client.post("/api/contacts/merge", json={"contacts": [john, zoe]})
    problem(told, 422)
    parted = client.post(f"/api/contacts/{john}/split", json={"identities": [zoe]}).json()
    assert parted["parted"]["contact_id"] == zoe
    assert parted["contact"]["contact_id"] == john


def test_suggestions(
    client: TestClient, house: House, two: tuple[str, str], problem: Problem
) -> None:
    john, zoe = two
    joe = identity(house, "joe@else.example", "Joe")
    first, second = suggest(house, john, zoe), suggest(house, john, joe)
    page = client.get("/api/contacts/suggestions", params={"limit": 1}).json()
    assert [row["link_id"] for row in page["items"]] == [second]
    page = client.get("/api/contacts/suggestions", params={"cursor": page["next"]}).json()
    assert [row["link_id"] for row in page["items"]] == [first]
    tried = client.get("/api/contacts/what-if", params={"threshold": 0.7}).json()
    assert (tried["contacts_now"], tried["contacts_then"]) == (3, 1)
    client.post(f"/api/contacts/suggestions/{second}/dismiss")
    accepted = client.post(f"/api/contacts/suggestions/{first}/accept").json()
    assert accepted["identities"] == 2
    assert client.get("/api/contacts/suggestions").json()["items"] == []
    problem(client.post(f"/api/contacts/suggestions/{first}/accept"), 404)


def test_nobody_meets_those_of_others(house: House, two: tuple[str, str], problem: Problem) -> None:
    """Covers RLS: another tenant, and another user of the same one, find nothing and change
    nothing."""
    john, zoe = two
    link = suggest(house, john, zoe)
    for other in (house.client("other", STRANGER), house.client(TENANT, BOB, key_user=BOB)):
        assert other.get("/api/contacts").json()["items"] == []
        assert other.get("/api/contacts", params={"q": "smith"}).json()["items"] == []
        assert other.get("/api/contacts/suggestions").json()["items"] == []
        assert other.get("/api/contacts/what-if?threshold=0").json()["contacts_now"] == 0
        problem(other.get(f"/api/contacts/{john}"), 404)
        problem(other.post("/api/contacts/merge", json={"contacts": [john, zoe]}), 404)
        problem(other.post(f"/api/contacts/{john}/split", json={"identities": [john]}), 404)
        for answer in ("accept", "dismiss"):
            problem(other.post(f"/api/contacts/suggestions/{link}/{answer}"), 404)
    assert len(house.execute("SELECT link_id FROM headrace.contact_links")) == 1


def test_contacts_of_two_users_are_never_one(
    client: TestClient, house: House, two: tuple[str, str], problem: Problem
) -> None:
    theirs = identity(house, "john@acme.example", "John Smith", user=BOB)
    told = problem(client.post("/api/contacts/merge", json={"contacts": [two[0], theirs]}), 422)
    assert "different users" in told["detail"]


def test_extracting_is_a_job(client: TestClient) -> None:
    """Covers A3.34, A3.36, X6: asked for twice, it is one job that a person can see; by its kind
    too."""
    first, second = (client.post("/api/contacts/extract").json()["job"] for _ in range(2))
    assert first["job_id"] == second["job_id"]
    by_kind = client.post("/api/jobs", json={"kind": "extract_contacts"})
    assert (by_kind.status_code, by_kind.json()["job_id"]) == (202, first["job_id"])
    assert client.get(f"/api/jobs/{first['job_id']}").json()["kind"] == "extract_contacts"
