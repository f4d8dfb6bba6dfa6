"""Dead letters as people see them: listed, read, dropped. `engine.redrive` retries them.

Every function takes a connection from `Database.people`: row-level security says whose they are.
"""

from __future__ import annotations

from typing import Any

from headrace.errors import BadInput
from headrace.store.database import Connection
from headrace.store.sql import query

LetterRow = dict[str, Any]


def listing(
    connection: Connection,
    *,
    state: str | None = "open",
    stage: str | None = None,
    stream: str | None = None,
    before: int | None = None,
    limit: int = 50,
) -> list[LetterRow]:
    """The newest dead letters without their bytes, below the number `before` if it is given."""
    return connection.execute(
        query("dead_letters", "listing"),
        {"state": state, "stage": stage, "stream": stream, "before": before, "limit": limit},
    ).fetchall()


def find(connection: Connection, number: int) -> LetterRow | None:
    """One dead letter with its bytes; None when there is none of that number to be seen."""
    return connection.execute(query("dead_letters", "find"), {"number": number}).fetchone()


def get(connection: Connection, number: int) -> LetterRow:
    """One dead letter with its bytes. Raises BadInput when there is none of that number."""
    row = find(connection, number)
    if row is None:
        raise BadInput(
            f"There is no dead letter {number}.", hint="The listing shows their numbers."
        )
    return row


def drop(connection: Connection, number: int) -> None:
    """Let a dead letter go; its row stays. Raises BadInput when there is no open one to be seen."""
    if connection.execute(query("dead_letters", "drop"), {"number": number}).rowcount == 0:
        raise BadInput(
            f"Dead letter {number} cannot be dropped.", hint="It is over already, or not yours."
        )


def drop_all(connection: Connection, *, stage: str | None = None, stream: str | None = None) -> int:
    """Let every open dead letter of a stage or stream go. Returns how many there were."""
    values = {"stage": stage, "stream": stream}
    return connection.execute(query("dead_letters", "drop_all"), values).rowcount
