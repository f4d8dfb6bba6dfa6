"""Options that many commands share."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Answer as JSON, for programs.")]
Limit = Annotated[int, typer.Option(min=1, max=1000, help="How many to show.")]
Since = Annotated[
    datetime | None, typer.Option(help="Only what happened then or later: 2026-01-31, local time.")
]


def local(time: datetime | None) -> datetime | None:
    """A time as typed is the person's own; what is asked is in UTC."""
    return None if time is None else time.astimezone(UTC)
