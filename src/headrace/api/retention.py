"""`/api/retention`: what is kept for how long, and when that was last seen to."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, Field

from headrace.api.auth import Visitor
from headrace.api.shapes import Time
from headrace.engine import retention as engine

router = APIRouter(prefix="/retention", tags=["retention"])


class Subject(BaseModel):
    """One kind of row, its policy, and how far retention is with it. What has been removed is of
    all tenants together, and not told here: it is in the table `retention`."""

    subject: str
    table: str
    policy: str = Field(description="In words.")
    days: float | None = Field(description="None is for ever.")
    versions: int | None = Field(description="The newest that are kept whatever their age.")
    looked_at: Time | None = None
    passed_at: Time | None = Field(None, description="When it was last passed through.")


class Subjects(BaseModel):
    """All of them, in the order in which they are seen to."""

    items: list[Subject]


@router.get("")
def get_retention(visitor: Visitor) -> Subjects:
    """The policies, as the settings say them, and when each was last seen to."""
    with visitor.database.connection() as connection:
        standing = engine.standing(connection)
    items = []
    for one in engine.policies(visitor.settings):
        row = standing.get(one.subject, {})
        items.append(
            Subject(
                subject=one.subject,
                table=one.table,
                policy=one.said,
                days=one.days,
                versions=one.versions,
                looked_at=row.get("looked_at"),
                passed_at=row.get("passed_at"),
            )
        )
    return Subjects(items=items)
