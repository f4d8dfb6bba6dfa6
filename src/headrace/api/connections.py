"""`/api/connections`: the sources there are, and how they are."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel

from headrace.api.auth import Visitor
from headrace.api.shapes import Page, Time
from headrace.store import connections

router = APIRouter(prefix="/connections", tags=["connections"])


class Connection(BaseModel):
    """One account at one provider. Its configuration and credential stay inside."""

    connection_id: str
    user_id: str
    provider: str
    name: str
    health: str
    health_reason: str | None
    health_hint: str | None
    created_at: Time
    synced_at: Time | None
    landed_at: Time | None
    batches: int
    records: int


@router.get("")
def list_connections(visitor: Visitor) -> Page[Connection]:
    """Every connection, with what has been landed of it."""
    with visitor.session() as session:
        rows = connections.listing(session)
    return Page(items=[Connection.model_validate(row) for row in rows])
