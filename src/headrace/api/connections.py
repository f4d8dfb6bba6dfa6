"""`/api/connections`: the sources there are, and how they are."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, Field

from headrace.api.auth import Visitor
from headrace.api.problems import Strict
from headrace.api.shapes import Page, Time
from headrace.errors import NotFound
from headrace.store import connections
from headrace.store.database import as_owner

router = APIRouter(prefix="/connections", tags=["connections"])


class Connection(BaseModel):
    """One account at one provider. Its configuration and credential stay inside."""

    connection_id: str
    user_id: str
    provider: str
    name: str
    account: str | None = Field(description="Whose account, as the provider calls it.")
    health: str
    health_reason: str | None
    health_hint: str | None
    created_at: Time
    synced_at: Time | None
    landed_at: Time | None
    batches: int
    records: int
    schedule: str | None = Field(description="When it is synced; null: when somebody asks.")
    every_seconds: int | None = Field(description="How often that is now; null: not by a span.")
    next_sync_at: Time | None


class Changes(Strict):
    """What is to be different. What is left out stays."""

    paused: bool | None = None
    every_minutes: float | None = Field(
        None, ge=1, le=525_600, description="How often it is synced; null: when somebody asks."
    )


@router.get("")
def list_connections(visitor: Visitor) -> Page[Connection]:
    """Every connection, with what has been landed of it."""
    with visitor.session() as session:
        rows = connections.listing(session)
    return Page(items=[Connection.model_validate(row) for row in rows])


@router.patch("/{connection_id}")
def change_connection(
    visitor: Visitor, connection_id: str, changes: Changes | None = None
) -> Connection:
    """Pause or resume a connection, or say how often it is synced."""
    changes = changes or Changes()
    with visitor.session() as session:
        if connections.get(session, connection_id) is None:
            raise NotFound(
                f"There is no connection {connection_id!r}.",
                hint="GET /api/connections lists them.",
            )
        with as_owner(session):
            if changes.paused is not None:
                (connections.pause if changes.paused else connections.resume)(
                    session, connection_id
                )
            if "every_minutes" in changes.model_fields_set:
                minutes = changes.every_minutes
                seconds = None if minutes is None else round(minutes * 60)
                connections.every(session, connection_id, seconds)
        [row] = connections.listing(session, connection_id)
    return Connection.model_validate(row)
