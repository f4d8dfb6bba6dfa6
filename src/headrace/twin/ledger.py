"""What the twin has served: counters, and the last requests one by one.

Tests prove with it what a run cost the source, such as that after a crash no more was fetched
again than the pages since the last commit.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from itertools import islice
from typing import Any

import msgspec

LOG_LENGTH = 10_000


class Entry(msgspec.Struct, rename="camel"):
    """One request for events. `offset` is None where the request named none that exists.

    `status` 0: not even a status line left. `rows` counts those of the page as it was made, also
    if the way it was delivered lost some. `at_ms` counts from the start of the twin.
    """

    request: int
    at_ms: float
    offset: int | None
    limit: int
    status: int
    rows: int
    faults: list[str]


class Ledger:
    """Counts of everything since the start, and the latest `LOG_LENGTH` entries."""

    def __init__(self) -> None:
        self._start = time.monotonic()
        self._log: deque[Entry] = deque(maxlen=LOG_LENGTH)
        self._rows = 0
        self._by_status: Counter[int] = Counter()
        self._by_fault: Counter[str] = Counter()
        self.requests = 0

    def write(
        self, offset: int | None, limit: int, status: int, rows: int, faults: list[str]
    ) -> None:
        """Note a request for events that has been answered, or is about to go unanswered."""
        self.requests += 1
        self._rows += rows
        self._by_status[status] += 1
        self._by_fault.update(faults)
        at_ms = round((time.monotonic() - self._start) * 1_000, 3)
        self._log.append(Entry(self.requests, at_ms, offset, limit, status, rows, faults))

    def stats(self, log: int) -> dict[str, Any]:
        """The counters, and the `log` latest entries, oldest first."""
        latest = list(islice(reversed(self._log), log))
        return {
            "requests": self.requests,
            "rows": self._rows,
            "byStatus": self._by_status,
            "byFault": self._by_fault,
            "log": latest[::-1],
        }
