"""PostgreSQL for the whole suite: the real server, once; a database of its own for each test."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from hypothesis import settings

from headrace.store import embedded

# A shell starts what it puts into the background with Ctrl-C ignored, and children inherit that:
# the tests that press Ctrl-C would then test nothing.
signal.signal(signal.SIGINT, signal.default_int_handler)

# The same examples in every run: what fails has been broken by a change, not by chance. New ones
# are looked for with HYPOTHESIS_PROFILE=search.
settings.register_profile("suite", derandomize=True)
settings.register_profile("search", derandomize=False)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "suite"))

_TEMPLATE = "headrace_template"
_numbers = count(1)
_droppers = ThreadPoolExecutor(1, thread_name_prefix="drop")


_TESTS = Path(__file__).parent
_LONG = ("crash", "docs", "cli", "github")
"""Rooms whose files take longest: begun first, so that none of them runs alone in the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long ones first; in each room, the order stays."""
    items.sort(key=lambda item: item.path.relative_to(_TESTS).parts[0] not in _LONG)


@pytest.fixture(scope="session")
def cluster() -> Iterator[str]:
    """URL of an empty database on a server with the same settings as a person's."""
    # Not pytest's own folder: root's is closed to the account that the server runs under.
    home = Path(tempfile.mkdtemp(prefix="headrace-tests-"))
    if os.geteuid() == 0:
        home.chmod(0o711)
    try:
        with embedded.postgres(home / "postgres") as url:
            yield url
            _droppers.shutdown(cancel_futures=True)
    finally:
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def template_db(cluster: str) -> str:
    """Name of a migrated database to copy."""
    from headrace.store.migrate import upgrade

    return _made(cluster, _TEMPLATE, upgrade)


@pytest.fixture
def database(cluster: str, template_db: str) -> Iterator[str]:
    """URL of a migrated, empty database that nobody else uses, gone after the test."""
    with _copied(cluster, template_db) as url:
        yield url


@pytest.fixture(scope="session")
def engine_template(cluster: str) -> str:
    """Name of a database to copy that has both schemas, ours and the engine's."""
    from headrace.engine.schema import prepare

    return _made(cluster, f"{_TEMPLATE}_engine", prepare)


@pytest.fixture
def engine_database(cluster: str, engine_template: str) -> Iterator[str]:
    """URL of a database of the test's own that has both schemas."""
    with _copied(cluster, engine_template) as url:
        yield url


def _made(cluster: str, name: str, fill: Callable[[str], object]) -> str:
    """A database to copy. Nobody may connect to it: a copy needs it alone."""
    with psycopg.connect(cluster, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        fill(_with_name(cluster, name))
        connection.execute(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false")
    return name


@contextmanager
def _copied(cluster: str, template: str) -> Iterator[str]:
    name = f"test_{next(_numbers)}"
    with psycopg.connect(cluster, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    try:
        yield _with_name(cluster, name)
    finally:
        _droppers.submit(_drop, cluster, name)


def _drop(cluster: str, name: str) -> None:
    """In the background: a checkpoint of the server is part of it, and no test is to wait for it.
    What the session's end leaves undone goes with the server."""
    with suppress(psycopg.Error), psycopg.connect(cluster, autocommit=True) as connection:
        # FORCE: a test that failed or killed a worker may have left connections behind.
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _with_name(url: str, name: str) -> str:
    return urlsplit(url)._replace(path=f"/{name}").geturl()
