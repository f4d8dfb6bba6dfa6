"""Both schemas, ours and the engine's, brought to this version before anything else happens."""

from __future__ import annotations

import re
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import tuple_row

from headrace import __version__, store, telemetry
from headrace.crashpoints import mark
from headrace.errors import BadInput
from headrace.store.database import unavailable

OLDEST = "0014"
"""The oldest schema whose code can work on this one. To be raised by a migration that takes away or
renames what code before it uses; a test looks for such."""

# The engine's tables are written all the time, and retention takes what is old from them: a fifth
# of millions of rows, which is PostgreSQL's default, is too much to leave lying about.
_VACUUM = """
ALTER TABLE dbos.workflow_status SET (autovacuum_vacuum_scale_factor = 0.02);
ALTER TABLE dbos.operation_outputs SET (autovacuum_vacuum_scale_factor = 0.02);
"""

_VERSIONS = Path(store.__file__).parent / "migrations" / "versions"


def prepare(url: str) -> None:
    """Migrate what must be. Safe with N replicas, and next to free when there is nothing to do: the
    schema's comment says what prepared it last.

    What a newer Headrace has migrated is left as it is: migrations only add, so that the older one
    goes on beside the newer; where one does not, OLDEST says so.

    Raises Unavailable when nobody answers, or the account may not; BadInput for a URL that is
    none, and for a database that only a newer Headrace can use.
    """
    stamp = (
        f"headrace {__version__}, schema {_newest_file()}, dbos {version('dbos')}, from {OLDEST} on"
    )
    there = _prepared_by(url)
    if there == stamp:
        return
    if (newer := newer_schema(there)) is not None:
        telemetry.newer_schema(newer, newest())
        return
    # Imported only here: most commands find everything prepared, and need none of these.
    from dbos import DBOS

    from headrace.store.address import engine_url
    from headrace.store.migrate import migration_lock, upgrade

    upgrade(url)
    mark("upgraded")
    with migration_lock(url):
        DBOS.migrate(engine_url(url).render_as_string(hide_password=False))
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(_VACUUM)
            connection.execute(f"COMMENT ON SCHEMA headrace IS '{stamp}'")


def newer_schema(there: str | None) -> str | None:
    """The schema of a database that was migrated further than this Headrace knows, from what
    `prepared_by` says; None where it was not. Raises BadInput where it cannot work with that."""
    told = re.match(r"headrace (\S+), schema (\d+)\w*, dbos \S+?(?:, from (\d+) on)?$", there or "")
    if told is None or told[2] <= newest():
        return None
    if told[3] is not None and told[3] > newest():
        raise BadInput(
            f"This database is of Headrace {told[1]}, and {__version__} is too old for it.",
            hint="Start the newer version here as well.",
        )
    return told[2]


def newest() -> str:
    """The newest schema that this program knows."""
    return _newest_file()[:4]


def _newest_file() -> str:
    # Without asking Alembic, which would take longer than all the rest.
    return max(file.stem for file in _VERSIONS.glob("[0-9]*.py"))


def prepared_by(connection: psycopg.Connection[Any]) -> str | None:
    """What the schema's comment says."""
    found = (
        connection.cursor(row_factory=tuple_row)
        .execute(
            "SELECT obj_description(oid, 'pg_namespace') FROM pg_namespace"
            " WHERE nspname = 'headrace'"
        )
        .fetchone()
    )
    return found[0] if found else None


def _prepared_by(url: str) -> str | None:
    try:
        with psycopg.connect(url, connect_timeout=10) as connection:
            return prepared_by(connection)
    except psycopg.OperationalError as error:
        raise unavailable(error) from error
    except psycopg.ProgrammingError as error:
        raise BadInput(
            "DATABASE_URL is not a PostgreSQL address.",
            hint="It looks like postgresql://user:password@host:5432/database.",
        ) from error
