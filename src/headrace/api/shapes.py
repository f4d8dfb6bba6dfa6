"""What answers have in common: times in UTC, and pages that are turned by a cursor."""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar
from urllib.parse import quote

import msgspec
from pydantic import AfterValidator, BaseModel, Field, PlainSerializer

from headrace.errors import BadInput


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


def cursor(*values: Any) -> str:
    """An opaque text of a listing's place."""
    return base64.urlsafe_b64encode(msgspec.json.encode(values)).rstrip(b"=").decode()


def cut(
    rows: list[dict[str, Any]], limit: int, *place: str
) -> tuple[list[dict[str, Any]], str | None]:
    """The rows of a page, of which one more than its limit was looked for, and the cursor of what
    follows; `place` has the fields that say where it ends."""
    if len(rows) <= limit:
        return rows, None
    return rows[:limit], cursor(*(rows[limit - 1][name] for name in place))


Place = TypeVar("Place")


def place(text: str | None, kind: type[Place]) -> Place | None:
    """The place a cursor names. Raises BadInput for a text that `cursor` did not make."""
    if text is None:
        return None
    try:
        padded = text + "=" * (-len(text) % 4)
        return msgspec.json.decode(base64.b64decode(padded, b"-_", validate=True), type=kind)
    except (binascii.Error, msgspec.MsgspecError, ValueError):
        raise BadInput(
            "This cursor is not one of ours.", hint="Pass on the `next` of a page as it stands."
        ) from None
