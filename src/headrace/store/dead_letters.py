"""Dead letters as people see them: listed, counted, read, dropped, taken along.

Every function takes a connection from `Database.people`: row-level security says whose they are.
`engine.redrive` retries them.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any

import msgspec
from psycopg.sql import SQL, Composed
from psycopg.types.json import Jsonb

from headrace import __version__
from headrace.errors import BadInput
from headrace.store.database import Connection
from headrace.store.sql import escaped, query

LetterRow = dict[str, Any]

AT_ONCE = 5000
"""Letters that one transaction drops."""
_EXPORTED_AT_ONCE = 500


class Chosen(msgspec.Struct, kw_only=True, frozen=True):
    """Which letters are meant; what is left out is not narrowed. `reason` is a part of one, with *
    for anything; `connection` an id or a name; `since` when a letter was last met or tried."""

    state: str | None = "open"
    level: str | None = None
    stage: str | None = None
    stream: str | None = None
    provider: str | None = None
    connection: str | None = None
    source_id: str | None = None
    reason: str | None = None
    since: datetime | None = None

    @property
    def narrowed(self) -> bool:
        """Whether anything but a state is named."""
        return self != Chosen(state=self.state)

    def values(self, tenant: str | None = None, user: str | None = None) -> dict[str, Any]:
        """What `scoped` queries are given; with a tenant, for one who owns the tables."""
        named = msgspec.structs.asdict(self)
        return {**named, "reason": _pattern(self.reason), "tenant": tenant, "user": user}


def _pattern(reason: str | None) -> str | None:
    """A part of a reason as LIKE takes it."""
    if reason is None:
        return None
    return f"%{escaped(reason).replace('*', '%').replace('…', '%')}%"


def scoped(name: str) -> Composed:
    """A query of letters that are chosen."""
    return SQL(query("dead_letters", name).removesuffix(";")).format(
        scope=SQL(query("dead_letters", "scope"))
    )


def entry(what: str, by: str | None = None, code: str = __version__) -> Jsonb:
    """An entry of a letter's history; the query that writes it says when."""
    said = {"what": what, "code": code}
    return Jsonb(said if by is None else {**said, "by": by})


def listing(
    connection: Connection,
    chosen: Chosen | None = None,
    *,
    before: int | None = None,
    limit: int = 50,
) -> list[LetterRow]:
    """The newest dead letters without their bytes, below the number `before` if it is given."""
    values = {**(chosen or Chosen()).values(), "before": before, "limit": limit}
    return connection.execute(scoped("listing"), values).fetchall()


def counts(
    connection: Connection, chosen: Chosen | None = None, limit: int = 100
) -> list[LetterRow]:
    """How many there are by reason, level and stage, with the oldest and the newest of each."""
    values = {**(chosen or Chosen()).values(), "limit": limit}
    return connection.execute(scoped("counts"), values).fetchall()


def how_many(connection: Connection, chosen: Chosen) -> int:
    """How many letters are chosen."""
    found = connection.execute(scoped("how_many"), chosen.values()).fetchone()
    assert found is not None, "an aggregate always answers"
    return int(found["letters"])


def find(connection: Connection, number: int) -> LetterRow | None:
    """One dead letter with its bytes; None when there is none of that number to be seen."""
    return connection.execute(query("dead_letters", "find"), {"number": number}).fetchone()


def get(connection: Connection, number: int) -> LetterRow:
    """One dead letter with its bytes. Raises BadInput when there is none of that number."""
    row = find(connection, number)
    if row is None:
        raise BadInput(
            f"There is no dead letter {number}.", hint="`headrace dead-letters list` shows them."
        )
    return row


def drop(connection: Connection, number: int, by: str | None = None) -> None:
    """Let a dead letter go; its row stays. Raises BadInput when there is no open one to be seen."""
    values = {"number": number, "entry": entry("dropped", by)}
    if connection.execute(query("dead_letters", "drop"), values).rowcount == 0:
        raise BadInput(
            f"Dead letter {number} cannot be dropped.", hint="It is over already, or not yours."
        )


def drop_all(connection: Connection, chosen: Chosen, by: str | None = None) -> int:
    """Let some open dead letters of those chosen go: at most `AT_ONCE`, until none is left.
    Returns how many there were."""
    open_ = msgspec.structs.replace(chosen, state="open")
    values = {**open_.values(), "entry": entry("dropped", by), "limit": AT_ONCE}
    return connection.execute(scoped("drop_all"), values).rowcount


def export(
    session: Callable[[], AbstractContextManager[Connection]], chosen: Chosen
) -> Iterator[LetterRow]:
    """Every letter that is chosen, with its bytes, oldest first; `session` opens a transaction for
    each few of them, so that nothing is held however long this takes."""
    after = 0
    while True:
        with session() as connection:
            values = {**chosen.values(), "after": after, "limit": _EXPORTED_AT_ONCE}
            rows = connection.execute(scoped("export"), values).fetchall()
            numbers = [row["dead_letter_id"] for row in rows]
            held = connection.execute(query("dead_letters", "bytes"), {"numbers": numbers})
            raws = {row.pop("dead_letter_id"): row for row in held}
        if not rows:
            return
        after = numbers[-1]
        for row in rows:
            for ours in ("stream_id", "tenant_id", "raw_bytes", "so_far", "row"):
                del row[ours]
            yield row | told_bytes(**raws.get(row["dead_letter_id"], {}))


def told_bytes(raw: bytes | None = None, mended: bytes | None = None) -> dict[str, str]:
    """Bytes as JSON can hold them: as a text where they are one, or else in base64."""
    said: dict[str, str] = {}
    for name, held in (("raw", raw), ("mended", mended)):
        if held is None:
            continue
        try:
            said[name] = held.decode()
        except UnicodeDecodeError:
            said[f"{name}_base64"] = base64.b64encode(held).decode()
    return said
