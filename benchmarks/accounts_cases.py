"""What `make bench-accounts` measures: which account, at which twin, and what changes in it."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager
from typing import Any
from urllib.request import Request, urlopen

import msgspec

from headrace.twin import run_github, run_google

FREE = 10_000_000
"""An allowance that nobody waits for: then it is the client, the twin and PostgreSQL that do."""

PER_MINUTE = {"gmail": 15_000, "google_calendar": 600, "github": 900}
"""What the providers let one account have: units, requests, requests."""
PER_HOUR = {"gmail": 900_000, "google_calendar": 36_000, "github": 5_000}

CHANGED = 100
"""One in so many is changed before the third sync."""


class Case(msgspec.Struct, frozen=True):
    """An account with `size` messages, events, or issues and pull requests. `own`: at the
    provider's own allowance and with the connection's own pauses."""

    provider: str
    size: int
    own: bool = False

    @property
    def per_minute(self) -> int:
        """The allowance, of the twin and of the connection."""
        return PER_MINUTE[self.provider] if self.own else FREE

    @property
    def config(self) -> dict[str, Any]:
        """The connection's: everything in one run, and as fast as the case is about."""
        allowed = "units_per_minute" if self.provider == "gmail" else "requests_per_minute"
        config: dict[str, Any] = {"items_per_run": None, allowed: self.per_minute}
        if not self.own and self.provider != "github":
            config["pause_ms"] = 0
        return config

    def twin(self) -> AbstractContextManager[str]:
        """Start it; yields its base URL."""
        minute = self.per_minute
        if self.provider == "gmail":
            return run_google(
                messages=self.size, events=0, user_units=minute, project_units=10 * minute
            )
        if self.provider == "google_calendar":
            return run_google(
                messages=0, events=self.size, user_requests=minute, project_requests=10 * minute
            )
        hour = PER_HOUR["github"] if self.own else FREE
        return run_github(
            issues=self.size, repositories=1, rate_limit=hour, points_per_minute=minute
        )

    def ready(self, base: str) -> None:
        """Let the twin make what the account holds, which it does when it is first needed: no
        sync is to wait for that."""
        if self.provider == "gmail":
            ask(base, "/admin/gmail", [{"do": "create_label", "name": "ready"}])
        elif self.provider == "google_calendar":
            ask(base, "/admin/calendar", [{"do": "expire_sync"}])

    def change(self, base: str) -> int:
        """Change one in a hundred: a label put on, an event's title, a comment said. Returns how
        many were changed."""
        some = range(CHANGED - 1, self.size, CHANGED)
        if self.provider == "gmail":
            [[label]] = ask(base, "/admin/gmail", [{"do": "create_label", "name": "bench"}])["done"]
            changes: list[dict[str, Any]] = [
                {"do": "label", "nth": nth, "labels": [label]} for nth in some
            ]
            ask(base, "/admin/gmail", changes)
        elif self.provider == "google_calendar":
            event = {"summary": "Another title"}
            changes = [{"do": "patch", "nth": nth, "event": event} for nth in some]
            ask(base, "/admin/calendar", changes)
        else:
            [repo] = ask(base, "/truth")
            changes = [{"do": "comment", "repo": int(repo), "number": nth} for nth in some]
            ask(base, "/admin/change", changes)
        return len(some)


class Spent(msgspec.Struct):
    """What the twin has been asked: requests, units as the provider bills them, refusals."""

    requests: int
    units: int
    refusals: int

    def since(self, before: Spent) -> Spent:
        """The difference."""
        return Spent(
            self.requests - before.requests,
            self.units - before.units,
            self.refusals - before.refusals,
        )


def spent(case: Case, base: str) -> Spent:
    """All of it, since the twin's start."""
    stats = ask(base, "/admin/stats")
    if case.provider == "github":
        # A 304 is free (rule H6).
        units = stats["requests"] - sum(stats["notModified"].values())
        return Spent(stats["requests"], units, sum(stats["refused"].values()) + stats["bans"])
    units = sum(stats["units"].values())
    return Spent(stats["requests"], units, stats["refusals"] + stats["bans"])


def ask(base: str, path: str, body: object = None) -> Any:
    """What the twin says behind the scenes."""
    data = None if body is None else json.dumps(body).encode()
    with urlopen(Request(base + path, data=data)) as answer:
        return json.loads(answer.read())
