"""How the Redis is, where there is one."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from prometheus_client.core import Metric

from headrace.out.metrics.standing import gauge
from headrace.redis_streams.look import look

_PATIENCE = 1.0
_REST = 15.0
"""Seconds for which one that does not answer is not asked again: nobody waits for it each time."""


class Redis:
    """Asked at each look, with little patience."""

    def __init__(self, url: str | None) -> None:
        self._url = url
        self._found: dict[str, Any] = {}
        self._not_before = 0.0

    def families(self) -> Iterator[Metric]:
        """Whether it answers, and what is in the stream; nothing where there is none."""
        if self._url is None:
            return
        now = time.monotonic()
        if now >= self._not_before:
            self._found = look(self._url, patience=_PATIENCE)
            self._not_before = 0.0 if self._found["answers"] else now + _REST
        yield gauge("redis_up", "Whether Redis answers.", (), [((), self._found["answers"])])
        for name, said in (
            ("entries", "Entries of the stream of jobs."),
            ("lag", "Entries that nobody has read yet."),
            ("pending", "Entries that were read and are not acknowledged."),
            ("dead", "Entries that were put aside."),
        ):
            number = self._found.get(name)
            told = [((), float(number))] if isinstance(number, int) else []
            yield gauge(f"redis_{name}", said, (), told)
