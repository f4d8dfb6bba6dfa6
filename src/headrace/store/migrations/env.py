"""Alembic's entry: `alembic upgrade head` from a shell, or `store.migrate.upgrade` from code."""

from __future__ import annotations

from alembic import context
from sqlalchemy import create_engine, pool, text

from headrace.model import SCHEMA, metadata
from headrace.store.address import engine_url

_connection = context.config.attributes.get("connection")


def _run(connection: object) -> None:
    context.configure(
        connection=connection,  # type: ignore[arg-type]
        target_metadata=metadata,
        version_table_schema=SCHEMA,
        include_schemas=True,
    )
    with context.begin_transaction():
        context.run_migrations()


if _connection is not None:
    _run(_connection)
else:
    from headrace.settings import load

    _url = load().database_url
    if not _url:
        raise SystemExit(
            "Set DATABASE_URL, or run `headrace migrate`, which starts the embedded one."
        )
    with create_engine(engine_url(_url), poolclass=pool.NullPool).begin() as _opened:
        _opened.execute(text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
        _run(_opened)
