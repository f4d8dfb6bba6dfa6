"""Both of GitHub's limits: so many requests an hour, and not too many at once or in a minute."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from headrace.twin.github.clock import Clock
from headrace.twin.github.options import Options
from headrace.twin.github.problem import Problem
from headrace.twin.github.stats import Stats

_WINDOW_S = 3_600
_FIRST_BAN_S = 60
_LONGEST_BAN_S = 3_600

PRIMARY = "API rate limit exceeded for {account}."
SECONDARY = (
    "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
)


@dataclass(slots=True)
class _Window:
    limit: int
    reset_s: int
    used: int = 0
    refused: bool = False


@dataclass(slots=True)
class _Account:
    windows: dict[str, _Window] = field(default_factory=dict)
    minute: deque[tuple[int, int]] = field(default_factory=deque)
    in_flight: int = 0
    bans: int = 0
    banned_until_s: int = 0


class Quota:
    """What each account has used. All tokens of a person count together."""

    def __init__(self, options: Options, clock: Clock, stats: Stats) -> None:
        self._options = options
        self._clock = clock
        self._stats = stats
        self._accounts: dict[str, _Account] = {}

    def enter(self, account: str) -> None:
        """A request of the account begins."""
        self._account(account).in_flight += 1

    def leave(self, account: str) -> None:
        """It has been answered."""
        self._account(account).in_flight -= 1

    def admit(self, account: str, resource: str, points: int) -> None:
        """Let a request in that has begun. Raises Problem (403 or 429) if a limit forbids it."""
        self._admit_secondary(self._account(account), points)
        window = self._window(account, resource)
        if not window.limit or window.used < window.limit:
            return
        self._stats.refused["primary"] += 1
        self._stats.inside_wait += window.refused
        window.refused = True
        raise Problem(self._options.limit_status, PRIMARY.format(account=account))

    def charge(self, account: str, resource: str) -> None:
        """Bill a request that was let in."""
        self._window(account, resource).used += 1

    def headers(self, account: str, resource: str) -> dict[str, str]:
        """How the account stands in this resource."""
        state = self.state(account, resource)
        told = {f"X-RateLimit-{name.title()}": str(value) for name, value in state.items()}
        return {**told, "X-RateLimit-Resource": resource}

    def state(self, account: str, resource: str) -> dict[str, int]:
        """The same as /rate_limit has it. `reset` is in Unix seconds."""
        window = self._window(account, resource)
        return {
            "limit": window.limit,
            "used": window.used,
            "remaining": max(0, window.limit - window.used),
            "reset": window.reset_s,
        }

    def _admit_secondary(self, account: _Account, points: int) -> None:
        """A request during a ban makes it begin again; each new ban is twice as long."""
        now, options = self._clock.now(), self._options
        if now < account.banned_until_s:
            self._stats.inside_wait += 1
            self._ban(account, now)
        while account.minute and account.minute[0][0] <= now - 60:
            account.minute.popleft()
        account.minute.append((now, points))
        spent = sum(each for _, each in account.minute)
        if (options.concurrent and account.in_flight > options.concurrent) or (
            options.points_per_minute and spent > options.points_per_minute
        ):
            account.bans += 1
            self._stats.bans += 1
            account.minute.clear()
            self._ban(account, now)

    def _ban(self, account: _Account, now: int) -> None:
        wait_s = min(_FIRST_BAN_S * 2 ** (account.bans - 1), _LONGEST_BAN_S)
        account.banned_until_s = now + wait_s
        self._stats.refused["secondary"] += 1
        how = self._options.retry_after
        tells = how == "always" or (how == "alternating" and account.bans % 2 == 1)
        headers = {"Retry-After": str(wait_s)} if tells else {}
        raise Problem(self._options.limit_status, SECONDARY, headers=headers)

    def _account(self, name: str) -> _Account:
        return self._accounts.setdefault(name, _Account())

    def _window(self, name: str, resource: str) -> _Window:
        windows, now = self._account(name).windows, self._clock.now()
        if resource not in windows or now >= windows[resource].reset_s:
            limit = self._options.anonymous_limit if not name else self._options.rate_limit
            windows[resource] = _Window(limit, now + _WINDOW_S)
        return windows[resource]
