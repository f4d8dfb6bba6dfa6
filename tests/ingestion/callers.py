"""Callers who wait for a job in a DBOS of their own."""

from __future__ import annotations

from typing import Any

from dbos import DBOSClient
from sqlalchemy import create_engine
from tests.ingestion.conftest import Rows

from headrace.store.address import engine_url

TOPIC = "wf:exec-456:ingestion-step:ingestion_done"


def park(url: str, *names: str) -> None:
    """Workflows of another application that nobody runs yet: what is sent to them stays there."""
    engine = create_engine(engine_url(url))
    client = DBOSClient(system_database_engine=engine, application_name="workflow-engine")
    try:
        for name in names:
            client.enqueue({"workflow_name": "waits", "queue_name": "nobody", "workflow_id": name})
    finally:
        client.destroy()
        engine.dispose()


def sent(rows: Rows, to: str) -> list[dict[str, Any]]:
    """Every message that a workflow has been sent: topic and content."""
    return rows(
        "SELECT topic, message::json AS message FROM dbos.notifications"
        " WHERE destination_uuid = %s ORDER BY created_at_epoch_ms",
        to,
    )


def waiter(to: str, topic: str = TOPIC) -> dict[str, Any]:
    """The part of a request that says who waits."""
    return {"metadata": {"callback_topic": topic, "dbos_workflow_id": to}}


def hurry(rows: Rows) -> None:
    """Whatever waits for its time has waited long enough."""
    rows(
        "UPDATE dbos.workflow_status SET delay_until_epoch_ms = 1 WHERE status = 'DELAYED'"
        " RETURNING workflow_uuid"
    )
