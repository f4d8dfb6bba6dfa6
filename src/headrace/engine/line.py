"""A connection of its own outside of any pool, whose loss is noticed soon, on both sides."""

from __future__ import annotations

import psycopg

from headrace.store.database import Database

PURPOSES = ("liveness", "dispatch", "drain")
"""What a process keeps such a line for; it is in the line's name, after the process's own."""


def open_line(database: Database, executor_id: str, purpose: str) -> psycopg.Connection:
    """Connect. Raises psycopg.OperationalError."""
    return psycopg.connect(
        database.url,
        autocommit=True,
        application_name=f"{executor_id} {purpose}",
        connect_timeout=5,
        keepalives_idle=2,
        keepalives_interval=1,
        keepalives_count=3,
        tcp_user_timeout=5000,
    )


def names(executor_id: str) -> list[str]:
    """The names of all sessions of a process: those of its pools bear its own."""
    return [executor_id, *(f"{executor_id} {one}" for one in PURPOSES)]
