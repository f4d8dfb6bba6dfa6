"""One Redis, or Valkey, which may be away: connected to anew, and spoken of once."""

from __future__ import annotations

import threading
from typing import Any
from urllib.parse import urlsplit

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from headrace import telemetry
from headrace.errors import BadInput

AWAY = (redis.RedisError, OSError)
"""What is raised when Redis does not do what it is asked: it is away, refuses, or is full."""

_HINTS: tuple[tuple[str, str], ...] = (
    (
        "WRONGPASS|NOAUTH|Authentication|password",
        "REDIS_URL has to name its user and password: redis://user:password@host:6379.",
    ),
    ("NOPERM", "Give its user the rights that docs/how-to/redis.md lists."),
    (
        "WRONGTYPE",
        "Another program uses a key of these: choose another database, redis://host:6379/1.",
    ),
    ("OOM", "Redis is full: raise its maxmemory, or lower HEADRACE_REDIS_KEEP."),
    ("READONLY", "REDIS_URL has to name the primary, not a replica."),
)


class Server:
    """The Redis that a URL names, as several parts of a worker use it. That it fails the first of
    them is logged once, and once that it does what all of them ask."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.address = address(url)
        self._lock = threading.Lock()
        self._failing: set[str] = set()

    def client(self, *, patience: float = 10.0) -> redis.Redis:
        """A client that tries nothing twice by itself: what was sent may have been done."""
        try:
            return redis.Redis.from_url(
                self.url,
                socket_timeout=patience,
                socket_connect_timeout=min(patience, 5.0),
                retry=Retry(NoBackoff(), 0),
                protocol=2,  # the same answers from every server
                client_name="headrace",
            )
        except ValueError:
            raise _unusable() from None

    def away(self, part: str, error: BaseException) -> None:
        """It does not do what this part asks of it."""
        with self._lock:
            first = not self._failing
            self._failing.add(part)
        if first:
            telemetry.redis_away(self.address, *described(error))

    def back(self, part: str) -> None:
        """It does what this part asks of it."""
        with self._lock:
            last = self._failing == {part}
            self._failing.discard(part)
        if last:
            telemetry.redis_back(self.address)


def described(error: BaseException) -> tuple[str, str]:
    """What went wrong in Redis's own words, and what to do about it. Without the URL, which may
    have a password in it."""
    said = " ".join(str(error).split())[:200] or type(error).__name__
    for words, hint in _HINTS:
        if any(word in said for word in words.split("|")):
            return said, hint
    return said, "Check that it runs and that REDIS_URL names it; nothing is lost meanwhile."


def address(url: str) -> str:
    """Where the URL leads, without what is secret in it. Raises BadInput."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _unusable() from None
    if parts.scheme == "unix" and parts.path:
        return parts.path
    if parts.scheme not in ("redis", "rediss") or not parts.hostname:
        raise _unusable()
    return f"{parts.hostname}:{port or 6379}"


def _unusable() -> BadInput:
    return BadInput(
        "REDIS_URL cannot be used.",
        hint="It looks like redis://localhost:6379, rediss://user:password@host:6380/0 or"
        " unix:///run/redis.sock.",
    )


def text(value: Any) -> str:
    """Bytes of Redis as text."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
