"""The twin's own clock: the real one, and as far ahead of it as tests have asked."""

from __future__ import annotations

import time
from datetime import UTC, datetime


class Clock:
    """What every expiry, window and timestamp of one twin goes by."""

    def __init__(self) -> None:
        self._ahead_s = 0.0

    def now(self) -> float:
        """Unix seconds."""
        return time.time() + self._ahead_s

    def now_ms(self) -> int:
        """Unix milliseconds."""
        return int(self.now() * 1_000)

    def advance(self, seconds: float) -> None:
        """Let time pass at once; it never goes back."""
        self._ahead_s += seconds


def rfc3339(seconds: float) -> str:
    """UTC to the millisecond, such as 2025-08-22T18:22:38.763Z."""
    text = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")
