"""The requests of this process: how many, how they ended, how soon an answer began."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import Metric

SECONDS = (0.005, 0.025, 0.1, 0.25, 1.0, 2.5, 10.0)

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


class Answered:
    """Counted where they are answered, and lost with the process, as Prometheus expects. A route is
    told as the program writes it, without what the caller has put in."""

    def __init__(self) -> None:
        self._own = CollectorRegistry()
        self._requests = Counter(
            "headrace_http_requests",
            "Requests that this process has answered.",
            ("method", "route", "status"),
            registry=self._own,
        )
        self._seconds = Histogram(
            "headrace_http_request_seconds",
            "Until this process's answer began.",
            ("route",),
            buckets=SECONDS,
            registry=self._own,
        )

    def note(self, method: str, route: str, status: int, seconds: float) -> None:
        """A request was answered."""
        told = method if method in _METHODS else "other"
        self._requests.labels(told, route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def families(self) -> Iterator[Metric]:
        """All of it, as Prometheus reads it; without when each was first counted, which doubles
        the page and which the start of the process says well enough."""
        for one in self._own.collect():
            one.samples = [each for each in one.samples if not each.name.endswith("_created")]
            yield one
