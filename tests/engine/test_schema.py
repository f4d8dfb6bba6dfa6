"""Both schemas, made by whoever comes first, and looked at for next to nothing afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from tests import databases

from headrace.engine import schema
from headrace.errors import BadInput, Unavailable

_COMMENT = "SELECT obj_description('headrace'::regnamespace, 'pg_namespace')"


@pytest.fixture
def empty(cluster: str) -> Iterator[str]:
    """URL of a database with nothing in it."""
    with databases.lent(cluster) as url:
        yield url


def said(url: str, query: str) -> str:
    with psycopg.connect(url) as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row
    return str(row[0])


def test_many_prepare_at_once(empty: str) -> None:
    """Covers A2.9, A4.21: replicas start together; ours and the engine's tables are there once."""
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(schema.prepare, [empty] * 4))
    for table in ("headrace.raw_events", "dbos.workflow_status"):
        assert said(empty, f"SELECT count(*) FROM {table}") == "0"
    assert "dbos 3." in said(empty, _COMMENT)


def test_an_application_s_tables_are_its_own(empty: str) -> None:
    """Covers A0.18: one database for both. Tables of the same names are left as they are, and ours
    are in schemas of their own."""
    with psycopg.connect(empty) as connection:
        connection.execute("CREATE TABLE jobs (id int PRIMARY KEY, body text)")
        connection.execute("CREATE TABLE alembic_version (version_num text PRIMARY KEY)")
        connection.execute("INSERT INTO jobs VALUES (1, 'its own')")
        connection.execute("INSERT INTO alembic_version VALUES ('of the application')")
    schema.prepare(empty)
    assert said(empty, "SELECT body FROM jobs") == "its own"
    assert said(empty, "SELECT version_num FROM alembic_version") == "of the application"
    tables = (
        "SELECT string_agg(tablename, ' ' ORDER BY tablename) FROM pg_tables WHERE schemaname = {}"
    )
    assert said(empty, tables.format("'public'")) == "alembic_version jobs"
    schemas = (
        "SELECT string_agg(nspname, ' ' ORDER BY nspname) FROM pg_namespace"
        " WHERE nspname NOT LIKE 'pg_%' AND nspname <> 'information_schema'"
    )
    assert said(empty, schemas) == "dbos headrace public"


def test_what_is_prepared_is_left_alone(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The comment on the schema is believed: nothing else is imported or asked."""

    def never(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr("headrace.store.migrate.upgrade", never)
    schema.prepare(url)


def test_another_release_or_a_newer_migration_is_prepared(
    url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The comment names both: a migration that is added is never passed over."""
    asked: list[str] = []
    monkeypatch.setattr("headrace.store.migrate.upgrade", asked.append)
    (tmp_path / "9999_more.py").touch()
    monkeypatch.setattr(schema, "_VERSIONS", tmp_path)
    schema.prepare(url)
    assert asked == [url]
    assert "9999_more" in said(url, _COMMENT)
    with psycopg.connect(url) as connection:
        connection.execute("COMMENT ON SCHEMA headrace IS 'headrace 0.0.1'")
    schema.prepare(url)
    assert asked == [url, url]


def test_nobody_answers() -> None:
    with pytest.raises(Unavailable, match="does not answer"):
        schema.prepare("postgresql://127.0.0.1:1/nothing?connect_timeout=3")


def test_a_url_that_is_none() -> None:
    with pytest.raises(BadInput, match="not a PostgreSQL address"):
        schema.prepare("redis://localhost")
