"""What the twin was asked for, and how its limits were kept: what a sync costs its source."""

from __future__ import annotations

from collections import Counter
from typing import Any


class Stats:
    """Counts since the start."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.not_modified: Counter[str] = Counter()
        self.statuses: Counter[int] = Counter()
        self.refused: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self.bans = 0
        self.inside_wait = 0
        self.families_revoked = 0

    def shape(self) -> dict[str, Any]:
        """As /admin/stats answers it.

        `refused`: by `primary` and `secondary` limit. `bans`: how often the secondary limit was
        broken. `insideWait`: requests that came although a refusal had said to wait. `revoked`:
        how often a spent refresh token was used again.
        """
        return {
            "requests": self.calls.total(),
            "calls": self.calls,
            "notModified": self.not_modified,
            "byStatus": self.statuses,
            "byFault": self.faults,
            "refused": self.refused,
            "bans": self.bans,
            "insideWait": self.inside_wait,
            "revoked": self.families_revoked,
        }
