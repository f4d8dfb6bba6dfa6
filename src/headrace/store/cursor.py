"""Where a page of a listing ended, as a text that callers pass on and need not understand."""

from __future__ import annotations

import base64
import binascii
from typing import Any, TypeVar

import msgspec

from headrace.errors import BadInput

Place = TypeVar("Place")


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
