"""The road to the schema, and that the readable description of it is true."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine
from tests import databases

from headrace.errors import Unavailable
from headrace.model import SCHEMA, metadata
from headrace.store import migrations
from headrace.store.address import engine_url
from headrace.store.migrate import upgrade

HEAD = max(one.stem for one in Path(migrations.__path__[0], "versions").glob("0*.py"))[:4]

_ROOT = Path(__file__).parents[2]


@pytest.fixture
def empty(cluster: str) -> Iterator[str]:
    """URL of a database without any table."""
    with databases.lent(cluster) as url:
        yield url


def rows(url: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(query.encode()).fetchall()


def shape(url: str) -> list[tuple[Any, ...]]:
    """Every table, column, constraint, index and policy of the schema, in words."""
    return rows(
        url,
        f"""
        SELECT 'column', table_name, column_name, data_type || is_nullable
        FROM information_schema.columns WHERE table_schema = '{SCHEMA}'
        UNION ALL SELECT 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid)
        FROM pg_constraint WHERE connamespace = '{SCHEMA}'::regnamespace
        UNION ALL SELECT 'index', tablename, indexname, indexdef
        FROM pg_indexes WHERE schemaname = '{SCHEMA}'
        UNION ALL SELECT 'policy', tablename, policyname, qual
        FROM pg_policies WHERE schemaname = '{SCHEMA}'
        ORDER BY 1, 2, 3, 4
        """,
    )


def differences(url: str) -> list[Any]:
    """What Alembic would change to make the database what the models say."""
    engine = create_engine(engine_url(url))
    with engine.connect() as connection:
        options = {
            "include_schemas": True,
            "include_name": lambda name, kind, _: kind != "schema" or name == SCHEMA,
            "include_object": lambda _, name, kind, *__: (
                kind != "index" and name != "alembic_version"
            ),
            "compare_type": True,
        }
        context = MigrationContext.configure(connection, opts=options)
        found = compare_metadata(context, metadata)
    engine.dispose()
    return list(found)


def test_models_and_migrations_are_the_same_schema(database: str) -> None:
    assert differences(database) == []


def test_a_difference_would_be_seen(database: str) -> None:
    """The comparison above can fail at all: for a column, a type, a NULL."""
    with psycopg.connect(database) as connection:
        connection.execute("ALTER TABLE headrace.jobs ADD COLUMN extra text")
        connection.execute("ALTER TABLE headrace.jobs ALTER COLUMN kind TYPE varchar(7)")
        connection.execute("ALTER TABLE headrace.jobs ALTER COLUMN kind DROP NOT NULL")
    assert len(str(differences(database)).split("'jobs'")) > 3


def test_eight_that_start_at_once_migrate_once(empty: str) -> None:
    """Covers A2.9, A2.15: replicas that start together leave one schema, and none fails."""
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(upgrade, [empty] * 8))
    assert rows(empty, "SELECT version_num FROM headrace.alembic_version") == [(HEAD,)]
    assert differences(empty) == []


def test_processes_that_start_at_once_migrate_once(empty: str) -> None:
    """Covers A2.9 across processes."""
    program = "import sys; from headrace.store.migrate import upgrade; upgrade(sys.argv[1])"
    started = [subprocess.Popen([sys.executable, "-c", program, empty]) for _ in range(3)]
    assert [one.wait(60) for one in started] == [0, 0, 0]
    assert rows(empty, "SELECT count(*) FROM headrace.alembic_version") == [(1,)]


def test_upgrading_again_changes_nothing(database: str) -> None:
    before = shape(database)
    upgrade(database)
    assert shape(database) == before


def test_alembic_upgrade_head_from_the_root(empty: str, database: str) -> None:
    """Covers A4.12, A2.5: the command of the seed does what the service does by itself."""
    environment = {**os.environ, "DATABASE_URL": empty}
    command = [sys.executable, "-m", "alembic", "upgrade", "head"]
    done = subprocess.run(command, cwd=_ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert shape(empty) == shape(database)


def test_alembic_without_a_database_says_what_to_set() -> None:
    environment = {k: v for k, v in os.environ.items() if k != "DATABASE_URL"}
    command = [sys.executable, "-m", "alembic", "upgrade", "head"]
    done = subprocess.run(command, cwd=_ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 1
    assert "DATABASE_URL" in done.stderr


def test_every_table_has_owners_and_row_level_security(database: str) -> None:
    """Covers A4.8, A1.20, A3.51: tenant and user in every row, and the tenant in every key, so that
    a unique violation tells nothing of another tenant."""
    tables = rows(
        database,
        f"""
        SELECT c.relname, c.relrowsecurity,
          EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid),
          ARRAY(SELECT attname::text FROM pg_attribute a
            WHERE a.attrelid = c.oid AND attname IN ('tenant_id', 'user_id') AND attnotnull
            ORDER BY 1),
          EXISTS (SELECT FROM pg_index i JOIN pg_attribute a
            ON a.attrelid = c.oid AND a.attnum = ANY(i.indkey)
            WHERE i.indrelid = c.oid AND i.indisprimary AND a.attname = 'tenant_id')
        FROM pg_class c
        WHERE c.relnamespace = '{SCHEMA}'::regnamespace AND c.relkind IN ('r', 'p')
          AND c.relname <> 'alembic_version'
        """,
    )
    assert len(tables) == len(metadata.tables)
    for table, secured, policy, owners, in_key in tables:
        assert (secured, policy, owners) == (True, True, ["tenant_id", "user_id"]), table
        assert in_key, table


def test_an_account_that_may_not_migrate_is_told_so(cluster: str, empty: str) -> None:
    with psycopg.connect(cluster, autocommit=True) as connection:
        connection.execute("CREATE ROLE reader LOGIN")
    try:
        with pytest.raises(Unavailable, match="may not create") as refused:
            upgrade(empty.replace("postgres@", "reader@"))
        assert "headrace migrate" in refused.value.hint
    finally:
        with psycopg.connect(cluster, autocommit=True) as connection:
            connection.execute("DROP ROLE reader")
