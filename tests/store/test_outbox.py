"""What is told to webhooks is written down by the transaction that makes it true."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headrace.store import connections, outbox
from headrace.store.database import Database

if TYPE_CHECKING:
    from tests.store.conftest import Desk


def endpoint(
    store: Database, name: str, *events: str, tenant: str = "acme", user: str | None = None
) -> None:
    with store.connection() as session:
        session.execute(
            "INSERT INTO headrace.webhooks (tenant_id, webhook_id, user_id, key_user, url, events,"
            " secrets) VALUES (%s, %s, 'ann', %s, 'https://example.com', %s, '')",
            [tenant, name, user, list(events)],
        )


def told(desk: Desk) -> list[tuple[str, str, str]]:
    found = desk.rows(
        "SELECT webhook_id, event, subject FROM headrace.webhook_deliveries ORDER BY delivery_id"
    )
    return [(str(hook), str(event), str(subject)) for hook, event, subject in found]


def test_everybody_who_wants_it_is_told_once(desk: Desk) -> None:
    """Of the same tenant, of this event, of this user's rows or of everybody's; under one id."""
    endpoint(desk.store, "all", *outbox.EVENTS)
    endpoint(desk.store, "ann's", "alert.raised", user="ann")
    endpoint(desk.store, "bob's", "alert.raised", user="bob")
    endpoint(desk.store, "others", "alert.raised", tenant="other")
    endpoint(desk.store, "jobs", "job.failed")
    with desk.store.people("acme", "ann") as session:  # who may not write there themselves
        outbox.tell(
            session,
            tenant="acme",
            user="ann",
            event="alert.raised",
            subject="alert/stale",
            data={"rule": "stale"},
        )
    assert told(desk) == [
        ("all", "alert.raised", "alert/stale"),
        ("ann's", "alert.raised", "alert/stale"),
    ]
    ids = desk.rows("SELECT DISTINCT message_id FROM headrace.webhook_deliveries")
    assert len(ids) == 1


def test_what_did_not_happen_is_not_told(desk: Desk) -> None:
    """The row goes with the transaction."""
    endpoint(desk.store, "all", *outbox.EVENTS)
    try:
        with desk.store.transaction() as session:
            outbox.tell(
                session, tenant="acme", user="ann", event="job.failed", subject="job/1", data={}
            )
            raise RuntimeError("it went wrong")
    except RuntimeError:
        pass
    assert told(desk) == []


def test_a_connection_that_needs_its_owner_is_told_of_once(desk: Desk) -> None:
    """However often a job finds it so, until it was well again."""
    endpoint(desk.store, "all", *outbox.EVENTS)
    id_ = desk.connection["connection_id"]
    for state in ("needs_reauth", "needs_reauth", "active", "needs_reauth", "paused"):
        with desk.store.transaction() as session:
            connections.health(session, id_, state, "It was revoked.", "Connect again.")
    with desk.store.transaction() as session:
        connections.health(session, id_, "needs_reauth", "It was revoked.", "Connect again.")
    assert told(desk) == [("all", "connection.needs_reauth", f"connection/{id_}")] * 2
