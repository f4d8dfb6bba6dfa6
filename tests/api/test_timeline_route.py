"""`/api/timeline` and `/api/interactions/recent`."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from starlette.testclient import TestClient
from tests.api.conftest import STRANGER, TENANT, TIME

if TYPE_CHECKING:
    from tests.api.conftest import House, Problem

ANN, ALSO_ANN = UUID(int=1), UUID(int=2)


def fill(house: House) -> int:
    """Three things that happened; a contact took part in two of them."""
    stream = house.stream(house.connection())
    for identity, value in ((ANN, "ann@x.org"), (ALSO_ANN, "a@y.org")):
        house.execute(
            "INSERT INTO headrace.contact_identities (tenant_id, user_id, identity_id, kind, value,"
            " contact_id, batch_id) VALUES (%s, 'ann', %s, 'email', %s, %s, 1)",
            TENANT, identity, value, ANN,
        )  # fmt: skip
    for name, kind, who in (
        ("a/1", "meeting", ANN),
        ("b", "email_sent", ALSO_ANN),
        ("c", "x", None),
    ):
        house.execute(
            "INSERT INTO headrace.timeline_events (tenant_id, user_id, stream_id, source_id,"
            " version, batch_id, occurred_at, kind, sentence, details)"
            " VALUES (%s, 'ann', %s, %s, 1, 1, %s, %s, 'So it was.', '{\"source\": \"gmail\"}')",
            TENANT, stream, name, TIME, kind,
        )  # fmt: skip
        if who:
            house.execute(
                "INSERT INTO headrace.participants (tenant_id, user_id, stream_id, source_id, role,"
                " identity_id, version, batch_id, occurred_at)"
                " VALUES (%s, 'ann', %s, %s, 'from', %s, 1, 1, %s)",
                TENANT, stream, name, who, TIME,
            )  # fmt: skip
    house.execute(
        "INSERT INTO headrace.recent_interactions (tenant_id, user_id, contact_id, interactions,"
        " received, sent, occurred_at, stream_id, source_id, counted_at)"
        " VALUES (%s, 'ann', %s, 2, 1, 1, %s, %s, 'a/1', now())",
        TENANT, ANN, TIME, stream,
    )  # fmt: skip
    return stream


def test_a_timeline_is_paged_and_filtered(
    house: House, client: TestClient, problem: Problem
) -> None:
    """Covers A1.45, A3.5, A3.21."""
    stream = fill(house)
    seen, asked = [], {"limit": "1"}
    while True:
        page = client.get("/api/timeline", params=asked).json()
        seen += [row["source_id"] for row in page["items"]]
        if page["next"] is None:
            break
        asked["cursor"] = page["next"]
    assert seen == ["c", "b", "a/1"]
    for contact in (ANN, ALSO_ANN):
        page = client.get("/api/timeline", params={"contact": str(contact)}).json()
        assert [row["source_id"] for row in page["items"]] == ["b", "a/1"]
    [one] = client.get("/api/timeline", params={"kind": "meeting"}).json()["items"]
    assert one == {
        "stream_id": stream,
        "source_id": "a/1",
        "occurred_at": "2026-01-01T00:00:00Z",
        "kind": "meeting",
        "sentence": "So it was.",
        "details": {"source": "gmail"},
        "path": f"/api/interactions/{stream}/a%2F1",
    }
    problem(client.get("/api/timeline", params={"contact": str(UUID(int=5))}), 404)
    problem(client.get("/api/timeline", params={"contact": "ann"}), 422)


def test_of_another_tenant_there_is_nothing(house: House, problem: Problem) -> None:
    """Covers A4.8."""
    fill(house)
    stranger = house.client("other", STRANGER)
    assert stranger.get("/api/timeline").json()["items"] == []
    assert stranger.get("/api/interactions/recent").json()["items"] == []
    problem(stranger.get("/api/timeline", params={"contact": str(ANN)}), 404)


def test_who_was_heard_of_of_late(house: House, client: TestClient) -> None:
    """Covers A1.36."""
    fill(house)
    said = client.get("/api/interactions/recent").json()
    [one] = said["items"]
    assert (said["hours"], one["contact_id"], one["interactions"]) == (24, str(ANN), 2)
    assert one["last"]["sentence"] == "So it was."
    assert one["last"]["path"].endswith("/a%2F1")
