"""What memory engines have been told: counts, and telling them all of it again."""

from __future__ import annotations

from typing import Any

from headrace.store.database import Connection
from headrace.store.sql import query


def told(connection: Connection) -> list[dict[str, Any]]:
    """Each engine with how many records it has been told of, and when last. As people."""
    return connection.execute(query("memories", "told")).fetchall()


def again(connection: Connection, tenant: str, user: str | None, stage: str) -> int:
    """Forget what engines have been told, so that `stage` tells them again; how many records that
    is. The sweeper finds the batches."""
    values = {"tenant": tenant, "user": user, "stage": stage}
    forgotten = connection.execute(query("memories", "forget"), values).rowcount
    connection.execute(query("memories", "undo"), values)
    return forgotten
