"""`/health`: the process is up. `/ready`: it can do its work. Both are open to everybody."""

from __future__ import annotations

from typing import Literal

import psycopg
from fastapi import APIRouter, Request
from psycopg.rows import dict_row
from pydantic import BaseModel, Field

from headrace import __version__
from headrace.engine.schema import newer_schema, newest, prepared_by
from headrace.errors import BadInput, Unavailable
from headrace.out import queues
from headrace.store.database import Connection, Database, unavailable

router = APIRouter(tags=["health"])


class Health(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"
    version: str = __version__


class Ready(BaseModel):
    """The database answers, and this program can work with its schema."""

    status: Literal["ready"] = "ready"
    schema_version: str
    workers: int = Field(description="Processes that run jobs now.")
    queue_seconds: dict[str, float] = Field(
        description="How long the oldest work on each queue has waited that could run; 0 where none"
        " does."
    )


@router.get("/health")
def health() -> Health:
    """Whether the process is up; asks nothing of the database."""
    return Health()


@router.get("/ready")
def ready(request: Request) -> Ready:
    """Whether requests can be served: 503 while the database is away, or of a version that this
    one cannot work with."""
    database: Database = request.app.state.database
    try:
        # A connection of its own: the pool would wait for the database to come back.
        line = psycopg.connect(database.url, connect_timeout=2, row_factory=dict_row)
        with line as connection:
            found = _schema(connection)
            if found != newest() and not _is_newer(connection):
                raise Unavailable(
                    f"The database's schema is {found}, this program's is {newest()}.",
                    hint="Run `headrace migrate`, or update the older one of the two.",
                )
            waits = {one.queue: round(one.oldest_seconds, 1) for one in queues.look(connection)}
            workers = queues.workers_alive(connection)
    except psycopg.OperationalError as error:
        raise unavailable(error) from error
    return Ready(schema_version=found, workers=workers, queue_seconds=waits)


def _schema(connection: Connection) -> str:
    try:
        row = connection.execute("SELECT version_num FROM headrace.alembic_version").fetchone()
    except psycopg.errors.UndefinedTable:
        row = None
    return row["version_num"] if row else "none"


def _is_newer(connection: Connection) -> bool:
    """Whether a newer Headrace works beside this one, as in an upgrade without a pause."""
    try:
        return newer_schema(prepared_by(connection)) is not None
    except BadInput:
        return False
