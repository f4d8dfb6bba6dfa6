"""What the twin has been asked, and what it cost: what tests hold a client to."""

from __future__ import annotations

from collections import Counter
from typing import Any

from headrace.twin.google.grants import Grants
from headrace.twin.google.quota import Quota


class Ledger:
    """Counts of everything since the start."""

    def __init__(self, grants: Grants, gmail: Quota, calendar: Quota) -> None:
        self._grants = grants
        self._gmail = gmail
        self._calendar = calendar
        self._calls: Counter[str] = Counter()
        self._units: Counter[str] = Counter()
        self._by_status: Counter[str] = Counter()
        self._by_fault: Counter[str] = Counter()

    def bill(self, call: str, units: int) -> None:
        """A call has been charged."""
        self._units[call] += units

    def write(self, call: str, status: int, faults: list[str]) -> None:
        """A call has been answered; status 0: not even a status line left."""
        self._calls[call] += 1
        self._by_status[str(status)] += 1
        self._by_fault.update(faults)

    def stats(self) -> dict[str, Any]:
        """As `/admin/stats` gives them. The peaks are of one user in any sixty seconds."""
        quotas = (self._gmail, self._calendar)
        return {
            "requests": self._calls.total(),
            "calls": self._calls,
            "units": self._units,
            "byStatus": self._by_status,
            "byFault": self._by_fault,
            "refusals": sum(quota.refusals for quota in quotas),
            "bans": sum(quota.bans for quota in quotas),
            "bannedCalls": sum(quota.banned_calls for quota in quotas),
            "peakUnits": self._gmail.peak,
            "peakRequests": self._calendar.peak,
            "tokenRefreshes": self._grants.refreshes,
            "familiesRevoked": self._grants.families_revoked,
        }
