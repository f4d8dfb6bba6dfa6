"""The page that Prometheus reads: everything, or, without a database, what is known without it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import psycopg
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import Metric
from prometheus_client.exposition import choose_encoder
from psycopg_pool import PoolTimeout

from headrace import __version__
from headrace.engine.schema import newest
from headrace.out.metrics.answered import Answered
from headrace.out.metrics.redis import Redis
from headrace.out.metrics.standing import gauge, standing
from headrace.out.metrics.tally import Tally
from headrace.settings import Settings
from headrace.store.database import Database

FRESH_SECONDS = 1.0
"""Whoever asks again so soon gets the same numbers: many that ask cost no more than one."""

_AWAY = (psycopg.Error, PoolTimeout)


class Page:
    """What one process answers. Of several that ask at once, the first looks for all of them."""

    def __init__(
        self, database: Database, settings: Settings, answered: Answered, tally: Tally | None = None
    ) -> None:
        self._database = database
        self._each = settings.headrace_metrics_connections
        self._answered = answered
        self._redis = Redis(settings.redis_url)
        self._process = ProcessCollector(registry=None)
        self._tally = tally or Tally()
        self._lock = threading.Lock()
        self._found: list[Metric] = []
        self._looked = -FRESH_SECONDS

    def told(self, accept: str) -> tuple[bytes, str]:
        """The page in the form that is asked for, and its media type."""
        with self._lock:
            if time.monotonic() - self._looked >= FRESH_SECONDS:
                self._found = list(self._look())
                self._looked = time.monotonic()
            found = list(self._found)
        registry = CollectorRegistry()
        registry.register(_Found([*found, *self._answered.families(), *self._process.collect()]))
        encode, media_type = choose_encoder(accept)
        return encode(registry), media_type

    def _look(self) -> Iterator[Metric]:
        yield gauge(
            "info", "What runs here.", ("version", "schema"), [((__version__, newest()), 1)]
        )
        began = time.monotonic()
        try:
            with self._database.connection() as connection:
                self._tally.look(connection)
                found = list(standing(connection, each=self._each))
            up = 1
        except _AWAY:
            found, up = [], 0
        yield from found
        yield from self._tally.families()
        yield from self._redis.families()
        yield gauge("database_up", "Whether PostgreSQL answers.", (), [((), up)])
        took = time.monotonic() - began
        yield gauge("look_seconds", "What it took to ask for all this.", (), [((), took)])


class _Found:
    """As a registry wants it."""

    def __init__(self, found: list[Metric]) -> None:
        self._found = found

    def collect(self) -> list[Metric]:
        """What was found."""
        return self._found
