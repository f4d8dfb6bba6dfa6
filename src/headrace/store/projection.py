"""Writing what a stage made: by COPY, the newest version of each, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cache
from operator import attrgetter
from typing import Any

import msgspec

from headrace.stage import Row, StageError
from headrace.store.database import Connection
from headrace.store.quarantine import REFUSED

_SOURCE_ID = attrgetter("source_id")
_OWNED = ("tenant_id", "user_id", "stream_id", "batch_id")
_OWNED_TYPES = ("text", "text", "int8", "int8")

# How a field's Python type travels. COPY's binary forms of json and tsvector are bytes as they are.
_KINDS: dict[Any, str] = {
    str: "text",
    str | None: "text",
    int: "int4",
    bool: "bool",
    bytes: "bytea",
    bytes | None: "bytea",
    datetime: "timestamptz",
    datetime | None: "timestamptz",
    list[str]: "text[]",
}


class Target:
    """How one row type is written to its table."""

    def __init__(self, row: type[Row]) -> None:
        fields = msgspec.structs.fields(row)
        for field in fields:
            if field.type not in _KINDS:
                raise StageError(
                    f"The field {field.name} of {row.__name__} has a type that cannot be written.",
                    hint=f"It can be one of: {', '.join(map(str, _KINDS))}.",
                )
        self.row = row
        self.table = f"headrace.{row.table}"
        self.columns = (*_OWNED, *(field.name for field in fields))
        self.types = (*_OWNED_TYPES, *(_KINDS[field.type] for field in fields))
        self.key = ("tenant_id", "stream_id", *row.key)

    def copy(self, connection: Connection, table: str, owned: tuple[Any, ...], rows: Any) -> None:
        """COPY rows straight into a table. Raises psycopg's UniqueViolation when one is there."""
        statement = f"COPY {table} ({', '.join(self.columns)}) FROM STDIN (FORMAT binary)"
        with connection.cursor().copy(statement) as copy:
            copy.set_types(self.types)
            write = copy.write_row
            astuple = msgspec.structs.astuple
            for row in rows:
                write((*owned, *astuple(row)))

    def merge(self, connection: Connection, owned: tuple[Any, ...], rows: Any) -> None:
        """Upsert: an older version never overwrites a newer one, whatever order batches come in."""
        columns = ", ".join(self.columns)
        key = ", ".join(self.key)
        changes = ", ".join(f"{c} = excluded.{c}" for c in self.columns if c not in self.key)
        staged = f"staged_{self.table.split('.')[1]}"
        self._run(
            connection,
            f"CREATE TEMP TABLE IF NOT EXISTS {staged} ON COMMIT DELETE ROWS AS"
            f" SELECT {columns} FROM {self.table} WITH NO DATA",
        )
        self.copy(connection, staged, owned, rows)
        self._run(
            connection,
            f"INSERT INTO {self.table} AS now ({columns})"
            f" SELECT DISTINCT ON ({key}) {columns} FROM {staged} ORDER BY {key}, version DESC"
            f" ON CONFLICT ({key}) DO UPDATE SET {changes} WHERE now.version <= excluded.version",
        )

    def read(self, connection: Connection, tenant: str, batch_id: int) -> list[Row]:
        """The rows that stand in the table as this batch's, as they were written."""
        names = self.columns[len(_OWNED) :]
        statement = (
            f"COPY (SELECT {', '.join(names)} FROM {self.table}"
            " WHERE tenant_id = %s AND batch_id = %s) TO STDOUT (FORMAT binary)"
        )
        with connection.cursor().copy(statement, [tenant, batch_id]) as copy:
            copy.set_types(self.types[len(_OWNED) :])
            return [self.row(**dict(zip(names, row, strict=True))) for row in copy.rows()]

    @staticmethod
    def _run(connection: Connection, statement: str) -> None:
        # Built from class names and field names of this program, never from data.
        connection.execute(statement)


@cache
def target(row: type[Row]) -> Target:
    """The target of a row type; worked out once."""
    return Target(row)


def write(
    connection: Connection,
    row: type[Row],
    rows: Sequence[Row],
    *,
    tenant: str,
    user: str,
    stream_id: int,
    batch_id: int,
    merge: bool,
) -> None:
    """Write the rows of one batch. Without `merge` they are taken to be new, and psycopg's
    UniqueViolation says if they are not."""
    if not rows:
        return
    owned = (tenant, user, stream_id, batch_id)
    # In the key's order the index is filled leaf by leaf: a fifth less work for the server.
    rows = sorted(rows, key=_SOURCE_ID)
    to = target(row)
    if merge:
        to.merge(connection, owned, rows)
    else:
        to.copy(connection, to.table, owned, rows)


def write_all(
    connection: Connection, made: Sequence[type[Row]], rows: Sequence[Row], **where: Any
) -> None:
    """Write rows of several types, each type to its table. See `write`."""
    for one in made:
        of_one = rows if len(made) == 1 else [row for row in rows if type(row) is one]
        write(connection, one, of_one, **where)


def sift(
    connection: Connection, place: Callable[[Sequence[Row]], None], rows: Sequence[Row]
) -> list[tuple[Row, Exception]]:
    """Have `place` write every row that PostgreSQL takes, and return the others with the reason.

    What is refused is halved until the rows that are to blame stand alone.
    """
    try:
        with connection.transaction():
            place(rows)
    except REFUSED as error:
        if len(rows) == 1:
            return [(rows[0], error)]
        middle = len(rows) // 2
        first = sift(connection, place, rows[:middle])
        return first + sift(connection, place, rows[middle:])
    return []
