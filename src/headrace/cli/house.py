"""What commands stand on: settings, a database that is up and migrated, an engine where needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from headrace.engine.schema import prepare
from headrace.errors import Unavailable
from headrace.settings import Settings, load
from headrace.store.connections import ConnectionRow
from headrace.store.database import DISK_FULL, Connection, Database, connect, unavailable
from headrace.store.embedded import ailment, kept
from headrace.store.waiting import patiently

TENANT = "default"
USER = "me"
"""Who owns what the command line brings in: one person, one machine."""


@contextmanager
def database_url(settings: Settings, *, wait: float = 0) -> Iterator[str]:
    """DATABASE_URL, or the embedded PostgreSQL while the context lasts; migrated either way. Where
    nobody answers, `wait` seconds are waited for somebody to."""
    with ExitStack() as stack:
        url = settings.database_url or stack.enter_context(kept(settings.postgres_folder))
        patiently(wait, lambda: prepare(url))
        yield url


def away(error: Exception) -> Unavailable:
    """What a person should read when PostgreSQL is away in the middle of a command."""
    settings = load()
    gone = unavailable(error)
    if settings.database_url or gone.message == DISK_FULL:
        return gone
    known = ailment(settings.postgres_folder)
    return known or Unavailable(gone.message, hint="The same command starts it again.")


@contextmanager
def reading() -> Iterator[Database]:
    """A database for commands that only look."""
    with database_url(load()) as url:
        database = Database(url, name="headrace cli", connections=2).open()
        try:
            yield database
        finally:
            database.close()


@contextmanager
def working(
    settings: Settings, choose: Callable[[Connection], list[ConnectionRow]]
) -> Iterator[tuple[Database, list[ConnectionRow]]]:
    """A database with an engine that runs jobs in this process while the context lasts, and the
    connections to work on. Those are chosen first: what is wrong with them is told sooner."""
    with database_url(settings) as url:
        with connect(url) as line, line.transaction():
            rows = choose(line)
        # Only commands that work need the engine: the others start in half the time without it.
        from headrace.engine.runtime import engine

        with engine(url, settings) as database:
            yield database, rows
