"""The pool of connections, and the two ways to use one: as the writer, or on behalf of people."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool, PoolTimeout

from headrace.errors import Unavailable
from headrace.traces.sql import cursors

Connection = psycopg.Connection[dict[str, Any]]

_GONE = (psycopg.OperationalError, psycopg.errors.AdminShutdown, PoolTimeout)


DISK_FULL = "PostgreSQL's disk is full; nothing that was committed is lost."


def unavailable(error: Exception) -> Unavailable:
    """What a person should read when PostgreSQL does not answer, cannot write or lets nobody in."""
    if isinstance(error, psycopg.errors.DiskFull):
        return disk_full()
    detail = str(error).strip().splitlines()
    return Unavailable(
        f"PostgreSQL does not answer: {detail[0] if detail else type(error).__name__}.",
        hint="Check that it runs and that DATABASE_URL names it; work goes on where it stopped.",
    )


def disk_full() -> Unavailable:
    """What a person should read when there is no room for what is to be written."""
    return Unavailable(
        DISK_FULL,
        hint="Free some space and run the same command again: it goes on where it stopped.",
    )


def connect(url: str) -> Connection:
    """One connection outside of any pool, in autocommit. Raises psycopg.OperationalError."""
    return psycopg.connect(url, autocommit=True, row_factory=dict_row, connect_timeout=10)


def _in_utc(connection: Connection) -> None:
    """Times are read in UTC whatever the server's zone: stages must be the same anywhere."""
    connection.execute("SET TIME ZONE 'UTC'")


class Database:
    """One PostgreSQL, by URL, with a pool that survives its restarts."""

    def __init__(self, url: str, *, name: str = "headrace", connections: int = 8) -> None:
        self.url = url
        self._pool: ConnectionPool[Connection] = ConnectionPool(
            url,
            min_size=1,
            max_size=connections,
            timeout=30,
            open=False,
            check=ConnectionPool.check_connection,
            configure=_in_utc,
            connection_class=psycopg.Connection[dict[str, Any]],
            kwargs={"row_factory": dict_row, "application_name": name, "autocommit": True}
            | cursors(),
        )

    def open(self) -> Database:
        """Connect. Raises Unavailable with the server's own words when nobody answers."""
        try:
            # One plain connection first: the pool retries quietly, and hides why it cannot.
            psycopg.connect(self.url, connect_timeout=10).close()
            self._pool.open(wait=True, timeout=30)
        except _GONE as error:
            raise unavailable(error) from error
        return self

    def close(self) -> None:
        """Give every connection back."""
        self._pool.close(timeout=5)

    @property
    def exhausted(self) -> bool:
        """Whether whoever asks for a connection now has to wait until somebody gives one back."""
        seen = self._pool.get_stats()
        return not seen["pool_available"] and seen["pool_size"] >= seen["pool_max"]

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """A connection in autocommit, as the owner of the tables."""
        with self._pool.connection() as connection:
            yield connection

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """One transaction as the owner of the tables: commits at the end, or leaves nothing."""
        with self._pool.connection() as connection, connection.transaction():
            yield connection

    @contextmanager
    def holding(self, lock: int, stream_id: int) -> Iterator[Connection]:
        """A connection in autocommit that holds this lock of a stream, shared, while the context
        lasts; whoever dies lets go of it. `alone` waits for nobody and shares with nobody."""
        with self.connection() as connection:
            values = [lock, stream_id]
            connection.execute("SELECT pg_advisory_lock_shared(%s, %s::int)", values)
            try:
                yield connection
            finally:
                connection.execute("SELECT pg_advisory_unlock_shared(%s, %s::int)", values)

    @contextmanager
    def alone(self, lock: int, stream_id: int) -> Iterator[Connection | None]:
        """The same, and nobody else holds it; None where somebody does."""
        with self.connection() as connection:
            values = [lock, stream_id]
            asked = "SELECT pg_try_advisory_lock(%s, %s::int) AS mine"
            mine = (connection.execute(asked, values).fetchone() or {})["mine"]
            try:
                yield connection if mine else None
            finally:
                if mine:
                    connection.execute("SELECT pg_advisory_unlock(%s, %s::int)", values)

    @contextmanager
    def people(self, tenant: str, user: str | None) -> Iterator[Connection]:
        """One transaction bound by row-level security to a tenant, and to one user if given."""
        with self.transaction() as connection:
            bind(connection, tenant, user)
            yield connection


def bind(connection: Connection, tenant: str, user: str | None) -> None:
    """Make the rest of this transaction see one tenant's rows only."""
    connection.execute(
        "SELECT set_config('headrace.tenant', %s, true), set_config('headrace.user', %s, true),"
        " set_config('role', 'headrace_people', true)",
        [tenant, user or ""],
    )


@contextmanager
def as_owner(connection: Connection) -> Iterator[None]:
    """Do one thing as the owner of the tables in a transaction that is bound to people, who own
    nothing of the engine's; they are bound again after it."""
    row = connection.execute("SELECT current_setting('role') AS role").fetchone()
    assert row is not None, "a SELECT without FROM answers"
    if row["role"] == "none":
        yield
        return
    connection.execute("SET LOCAL ROLE NONE")
    try:
        yield
    finally:
        if connection.info.transaction_status is not TransactionStatus.INERROR:
            connection.execute("SELECT set_config('role', %s, true)", [row["role"]])
