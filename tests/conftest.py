"""PostgreSQL for the whole suite: the real server, once; a database of its own for each test."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from hypothesis import settings
from tests import databases
from tests.places import made_folder

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
_SETTINGS = (
    *("fsync = off", "full_page_writes = off"),
    *("max_wal_size = '256MB'", "min_wal_size = '80MB'"),  # its folder may be in memory
)

_TESTS = Path(__file__).parent
_LONGEST = (
    *("browser/test_pages", "browser/test_journey"),
    *("github/test_histories", "docs/test_tutorial", "crash/test_points", "crash/test_takeover"),
    *("crash/test_mailbox", "crash/test_follow_up", "cli/test_postgres", "cli/test_waiting"),
    *("ingestion/test_two_services", "crash/test_elsewhere", "engine/test_drain"),
    *("docs/test_operate", "crash/test_start", "cli/test_sources", "engine/test_suspects"),
    *("engine/test_versions", "docs/test_add_a_provider", "engine/test_restarts"),
    *("embedded/test_places", "cli/test_sync", "cli/test_demo", "engine/test_deadly"),
    *("vectordb/test_ingestion", "cli/test_look", "embedded/test_users", "embedded/test_crashes"),
    *("crash/test_interrupt", "crash/test_postgres", "engine/test_schedules", "gmail/test_walks"),
)
"""The files that take longest, longest first: so that none of them runs alone in the end."""


def pytest_configure(config: pytest.Config) -> None:
    """pytest-xdist would begin with the files of most tests, and the longest have but a few."""
    if hasattr(config.option, "loadscopereorder"):
        config.option.loadscopereorder = False


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long files first; the order of the others stays."""
    places = {f"{name}.py": place for place, name in enumerate(_LONGEST)}

    def place(item: pytest.Item) -> int:
        return places.get(item.path.relative_to(_TESTS).as_posix(), len(places))

    items.sort(key=place)


@pytest.fixture(scope="session")
def cluster() -> Iterator[str]:
    """URL of an empty database on a server with the same settings as a person's, but for waiting
    until the disk has it: here processes are killed, and nobody pulls the plug."""
    home = made_folder("tests")
    try:
        with embedded.postgres(home / "postgres") as url:
            with psycopg.connect(url, autocommit=True) as connection:
                for setting in _SETTINGS:
                    connection.execute(f"ALTER SYSTEM SET {setting}".encode())
                connection.execute("SELECT pg_reload_conf()")
            yield url
            databases.end()
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
    with databases.lent(cluster, template_db) as url:
        yield url


@pytest.fixture(scope="session")
def engine_template(cluster: str) -> str:
    """Name of a database to copy that has both schemas, ours and the engine's."""
    from headrace.engine.schema import prepare

    return _made(cluster, f"{_TEMPLATE}_engine", prepare)


@pytest.fixture
def engine_database(cluster: str, engine_template: str) -> Iterator[str]:
    """URL of a database of the test's own that has both schemas."""
    with databases.lent(cluster, engine_template) as url:
        yield url


def _made(cluster: str, name: str, fill: Callable[[str], object]) -> str:
    """A database to copy. Nobody may connect to it: a copy needs it alone."""
    with psycopg.connect(cluster, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        fill(databases.named(cluster, name))
        connection.execute(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false")
    return name
