"""Who is told of which incident, and what came of it. As the owner of the tables, never as people:
the channels are the operator's."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from headrace.errors import NotFound
from headrace.store.database import Connection
from headrace.store.incidents import IncidentRow
from headrace.store.sql import query

DeliveryRow = dict[str, Any]


class Place(NamedTuple):
    """Where a page of deliveries ended."""

    asked_at: datetime
    delivery_id: str


def address(
    connection: Connection, news: Sequence[tuple[str, IncidentRow]], channels: Sequence[str]
) -> None:
    """Have every channel told of these events, if the caller's transaction commits."""
    if not news or not channels:
        return
    values = {
        "tenants": [row["tenant_id"] for _, row in news],
        "users": [row["user_id"] for _, row in news],
        "incidents": [row["incident_id"] for _, row in news],
        "events": [event for event, _ in news],
        "channels": list(channels),
    }
    connection.execute(query("incidents", "address"), values)


def claim(connection: Connection, channel: str, lease: float) -> DeliveryRow | None:
    """The next delivery of a channel that is due, with its incident; nobody else gets it for the
    next `lease` seconds."""
    values = {"channel": channel, "lease": lease}
    return connection.execute(query("incidents", "claim"), values).fetchone()


def told(
    connection: Connection, row: DeliveryRow, *, state: str, answer: str, wait: float = 0
) -> None:
    """Write down what came of an attempt."""
    values = {
        "tenant": row["tenant_id"],
        "id": row["delivery_id"],
        "attempts": row["attempts"],
        "asked_at": row["asked_at"],
        "state": state,
        "answer": answer,
        "wait": wait,
    }
    connection.execute(query("incidents", "told"), values)


def give_up(connection: Connection, channels: Sequence[str], seconds: float) -> None:
    """End what has been due for so long, for channels other than these."""
    values = {"channels": list(channels), "seconds": seconds}
    connection.execute(query("incidents", "give_up"), values)


def deliveries(
    connection: Connection, *, before: Place | None = None, limit: int = 50
) -> list[DeliveryRow]:
    """The newest deliveries, each with its incident's rule and sentence."""
    values = {
        "at": before.asked_at if before else None,
        "id": before.delivery_id if before else None,
        "limit": limit,
    }
    return connection.execute(query("incidents", "deliveries"), values).fetchall()


def redeliver(connection: Connection, delivery_id: str) -> DeliveryRow:
    """Have it sent again, as if for the first time. Raises NotFound."""
    values = {"id": delivery_id}
    if connection.execute(query("incidents", "redeliver"), values).fetchone() is None:
        raise NotFound(
            f"There is no delivery {delivery_id!r}.",
            hint="GET /api/alerts/deliveries lists those there are.",
        )
    row = connection.execute(query("incidents", "delivery"), values).fetchone()
    assert row is not None, "it was changed a moment ago"
    return row
