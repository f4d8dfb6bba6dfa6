"""What answers have in common: times in UTC, and pages that are turned by a cursor."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Generic, TypeVar
from urllib.parse import quote

from pydantic import AfterValidator, BaseModel, Field, PlainSerializer


def _utc(time: datetime) -> datetime:
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time


Time = Annotated[datetime, AfterValidator(_utc)]
"""A time; without a zone it is taken for UTC."""


def _seconds(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


Moment = Annotated[datetime, PlainSerializer(_seconds, return_type=str)]
"""A time as seed 004 writes it: to the second, in UTC, with a Z."""

Limit = Annotated[int, Field(ge=1, le=200, description="How many at most.")]
Cursor = Annotated[
    str | None, Field(max_length=8192, description="The `next` of the page before this one.")
]

Item = TypeVar("Item")


def row_path(kind: str, stream_id: int, source_id: str) -> str:
    """Where a row that was found stands as a whole."""
    return f"/api/{kind.replace('_', '-')}/{stream_id}/{quote(source_id, safe='')}"


class Page(BaseModel, Generic[Item]):
    """Some of a listing. `next` asks for what follows; without it, this is the end."""

    items: list[Item]
    next: str | None = None
