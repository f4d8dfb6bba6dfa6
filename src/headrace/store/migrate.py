"""Bring a database to this version's schema: ours by Alembic, the engine's by DBOS itself."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, create_engine, pool, text
from sqlalchemy.exc import DBAPIError

from headrace.errors import Unavailable
from headrace.model import SCHEMA
from headrace.store.address import engine_url
from headrace.store.database import unavailable

# Any number that nothing else locks; the same in every version, so that versions wait for each
# other as well.
_LOCK = 0x4845_4144_5241_4345

_ASK_SECONDS = 0.1

_FOLDER = Path(__file__).parent / "migrations"


@contextmanager
def migration_lock(url: str) -> Iterator[Connection]:
    """A connection that holds the migration lock: one process migrates, the others wait.

    They wait by asking again, not inside a statement: DBOS builds indexes concurrently, and that
    waits until every open statement has ended, so whoever waited in one would wait for ever.
    """
    engine = create_engine(engine_url(url), poolclass=pool.NullPool)
    try:
        with engine.connect() as connection:
            while not connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": _LOCK}):
                connection.commit()
                time.sleep(_ASK_SECONDS)
            connection.commit()
            # Closing the session frees the lock, whatever happened in between.
            yield connection
    finally:
        engine.dispose()


def upgrade(url: str) -> None:
    """Run every missing migration. Safe when many replicas start at once: the first one works,
    the others wait for it. Raises Unavailable where the account may not create what is needed, or
    nobody answers."""
    try:
        with migration_lock(url) as connection:
            connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
            config = Config()
            config.set_main_option("script_location", str(_FOLDER))
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            connection.commit()
    except DBAPIError as error:
        if isinstance(error.orig, psycopg.errors.InsufficientPrivilege):
            raise Unavailable(
                "The account of DATABASE_URL may not create the tables or the role it needs.",
                hint="Run `headrace migrate` once with an account that has CREATEROLE and owns the "
                "database.",
            ) from error
        if isinstance(error.orig, psycopg.OperationalError):
            raise unavailable(error.orig) from error
        raise
