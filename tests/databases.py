"""Databases for tests: copied from a prepared one, ahead of time, and dropped in the background.

A copy costs the server some hundred files each way. Whoever wants one finds it made, and nobody
waits until it is gone.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import count
from urllib.parse import urlsplit

import psycopg

EMPTY = "template1"
"""The template of a database with nothing in it."""

_numbers = count(1)
_maker = ThreadPoolExecutor(1, thread_name_prefix="make")
_dropper = ThreadPoolExecutor(1, thread_name_prefix="drop")
_ahead: dict[tuple[str, str], Future[str]] = {}


def copy(cluster: str, template: str = EMPTY) -> str:
    """URL of a database that nobody else uses. `cluster`: any URL of the server."""
    made = _ahead.pop((cluster, template), None) or _maker.submit(_copied, cluster, template)
    if template != EMPTY:
        _ahead[cluster, template] = _maker.submit(_copied, cluster, template)
    return made.result()


def drop(url: str) -> None:
    """Some time soon. What the session's end leaves undone goes with the server."""
    _dropper.submit(_drop, url)


@contextmanager
def lent(cluster: str, template: str = EMPTY) -> Iterator[str]:
    """A copy while the context lasts."""
    url = copy(cluster, template)
    try:
        yield url
    finally:
        drop(url)


def end() -> None:
    """Before the server stops: after this nobody asks it for anything."""
    for pool in (_maker, _dropper):
        pool.shutdown(cancel_futures=True)


def named(url: str, name: str) -> str:
    """The URL of another database of the same server."""
    return urlsplit(url)._replace(path=f"/{name}").geturl()


def _copied(cluster: str, template: str) -> str:
    name = f"test_{next(_numbers)}"
    with psycopg.connect(cluster, autocommit=True) as connection:
        # Files are copied as they are: through the server's log, each page is written three times.
        connection.execute(
            f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy".encode()
        )
    return named(cluster, name)


def _drop(url: str) -> None:
    name = urlsplit(url).path[1:]
    with suppress(psycopg.Error), psycopg.connect(named(url, "postgres"), autocommit=True) as line:
        # FORCE: a test that failed or killed a worker may have left connections behind.
        line.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())
