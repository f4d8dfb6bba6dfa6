"""The twin's own clock: tokens, limits and timestamps follow it, and tests move it."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from headrace.twin.github.problem import unprocessable

START_S = 1_735_689_600
"""2025-01-01T00:00:00Z, when the oldest thing in a new twin was made."""


class Clock:
    """Unix time in whole seconds: the machine's, or one that stands still at `frozen_s`."""

    def __init__(self, frozen_s: int = 0) -> None:
        self._frozen_s = frozen_s
        self._ahead_s = 0

    def now(self) -> int:
        """What time it is here."""
        return (self._frozen_s or int(time.time())) + self._ahead_s

    def advance(self, seconds: int) -> int:
        """Let time pass. Returns the time it is then."""
        self._ahead_s += seconds
        return self.now()


def stamp(instant_s: int) -> str:
    """As GitHub writes an instant: UTC, to the second."""
    return datetime.fromtimestamp(instant_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def stamp_or_none(instant_s: int | None) -> str | None:
    """The same of something that may not have happened."""
    return None if instant_s is None else stamp(instant_s)


def read_instant(name: str, text: str) -> int:
    """Unix seconds of ISO 8601, rounded down. Raises Problem (422)."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise unprocessable(name, "is not an ISO 8601 time") from None
    return int((instant if instant.tzinfo else instant.replace(tzinfo=UTC)).timestamp())
