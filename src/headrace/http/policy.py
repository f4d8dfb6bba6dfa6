"""How patient and how trusting a client is: numbers that belong to a provider (ruling X4)."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable

import msgspec

from headrace.http.guard import PORTS


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """The defaults are those of a REST source: five retries (A2.35) and a minute a request.

    A wait up to `max_wait` is slept in the client; a longer one is raised as `Retry(after=...)`, so
    that the job is parked durably and no worker is held (R6). No wait is longer than `max_park`.
    """

    retries: int = 5
    """Attempts after the first, for 408, 429, 5xx, a reset or a broken body (R8)."""
    timeout: float = 60.0
    """Seconds one request may take from the look-up of the name to the last byte (R17)."""
    first_wait: float = 0.5
    """Seconds: the longest wait before the first retry; it doubles with each one."""
    max_wait: float = 5.0
    """Seconds: the longest wait that is slept here."""
    max_park: float = 86_400.0
    """Seconds: the longest wait anyone is believed to need; a longer one is cut to this."""
    delay: float = 0.0
    """Seconds: the least time between the starts of two requests (A2.29)."""
    at_once: int | None = None
    """Requests under way at the same time; None: as many as are asked for (H5)."""
    redirects: int = 0
    """Redirects followed, and only within the origin (R15)."""
    max_body: int = 64 * 1024 * 1024
    """Bytes of one body, after decompression (R11)."""
    max_ratio: int = 250
    """How many times larger than its wire bytes a body may become; the first 4 MiB are free."""
    address: str = "base_url"
    """What a person calls the address that is asked: hints say to check it by this name."""
    private_hosts: bool = False
    """Whether http, any port, private and loopback addresses are fine: for what an operator wrote.

    Without it only https on a well-known port of a public address is spoken to."""
    ports: frozenset[int] = PORTS
    """Which ports those are."""


GOOGLE = Policy(retries=3, timeout=10.0)
"""What seed 001 asks of Google's APIs: 10 s a request, three retries with jitter (A1.13, A1.14)."""


class Clock(msgspec.Struct, frozen=True, kw_only=True):
    """Where time and chance come from: given from outside, so that no test has to wait."""

    wall: Callable[[], float] = time.time
    """Seconds since 1970: what an HTTP-date or a reset is compared with."""
    steady: Callable[[], float] = time.monotonic
    """Seconds that never jump: what pauses are measured with."""
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    chance: Callable[[], float] = random.random
    """A number from 0 up to 1."""


def backoff(policy: Policy, attempt: int, clock: Clock) -> float:
    """Seconds before retry number `attempt` (from 0): exponential, capped, with full jitter.

    Full jitter spreads the clients that one outage has lined up.
    """
    ceiling = min(policy.max_wait, policy.first_wait * 2.0 ** min(attempt, 30))
    return ceiling * clock.chance()
