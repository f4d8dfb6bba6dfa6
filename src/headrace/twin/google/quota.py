"""What calls cost, how much of it a minute holds, and the ban of those who do not listen."""

from __future__ import annotations

from collections import deque

from headrace.twin.google.clock import Clock
from headrace.twin.google.problem import over_budget

_WINDOW_S = 60.0


class Budget:
    """At most so many units in any sixty seconds."""

    def __init__(self, units: int, clock: Clock) -> None:
        self._units = units
        self._clock = clock
        self._spent: deque[tuple[float, int]] = deque()
        self._sum = 0
        self.peak = 0

    def free_at(self, cost: int) -> float | None:
        """When `cost` units would be free (Unix seconds), or None if they are now."""
        now = self._clock.now()
        while self._spent and self._spent[0][0] <= now - _WINDOW_S:
            self._sum -= self._spent.popleft()[1]
        missing = self._sum + cost - self._units
        if missing <= 0:
            return None
        for when, units in self._spent:
            missing -= units
            if missing <= 0:
                return when + _WINDOW_S
        return now + _WINDOW_S  # the budget is smaller than this one call

    def spend(self, cost: int) -> None:
        """Count units that `free_at` found free."""
        self._spent.append((self._clock.now(), cost))
        self._sum += cost
        self.peak = max(self.peak, self._sum)


class Quota:
    """One API's budgets: of each user, and of all together."""

    def __init__(
        self, clock: Clock, *, user: int, project: int, overdrafts: int, ban_s: int, answers: str
    ) -> None:
        self._clock = clock
        self._user_units = user
        self._project = Budget(project, clock)
        self._users: dict[str, Budget] = {}
        self._overdrafts = overdrafts
        self._ban_s = ban_s
        self._answers = answers
        self._refused_at: dict[str, deque[float]] = {}
        self._banned_until: dict[str, float] = {}
        self.refusals = 0
        self.bans = 0
        self.banned_calls = 0

    @property
    def peak(self) -> int:
        """The most units that any user has used in sixty seconds."""
        return max((budget.peak for budget in self._users.values()), default=0)

    def charge(self, user: str, cost: int) -> None:
        """Bill a call. Raises Problem (429, 403) when a budget is used up or the user is banned."""
        now = self._clock.now()
        if (until := self._banned_until.get(user, 0.0)) > now:
            self.banned_calls += 1
            raise over_budget(429, "rateLimitExceeded", "User-rate", until)
        mine = self._users.setdefault(user, Budget(self._user_units, self._clock))
        for budget, who, reason in (
            (mine, "User-rate", "userRateLimitExceeded"),
            (self._project, "Project-rate", "rateLimitExceeded"),
        ):
            if (free_at := budget.free_at(cost)) is not None:
                self._overdraw(user, now)
                raise over_budget(self._status(), reason, who, free_at)
        mine.spend(cost)
        self._project.spend(cost)

    def _status(self) -> int:
        """Of the refusal that has just been counted."""
        if self._answers == "both":
            return 429 if self.refusals % 2 else 403
        return int(self._answers)

    def _overdraw(self, user: str, now: float) -> None:
        self.refusals += 1
        times = self._refused_at.setdefault(user, deque(maxlen=self._overdrafts))
        times.append(now)
        if len(times) == self._overdrafts and times[0] > now - _WINDOW_S:
            self.bans += 1
            self._banned_until[user] = now + self._ban_s
            times.clear()
