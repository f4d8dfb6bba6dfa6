"""A dry run: the stages run on a batch in one transaction, which is compared and rolled back.

What would be embedded, or put elsewhere, is left out: no transaction could take that back.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
import psycopg
from psycopg.sql import SQL, Composed, Identifier

from headrace.engine.cascade import run_stage
from headrace.engine.derived import RECORDS, Derived, derived
from headrace.engine.origin import context
from headrace.errors import HeadraceError
from headrace.rows import Vectors
from headrace.stage import Stage
from headrace.store.database import Connection, Database
from headrace.wiring import Step

SAMPLES = 20
"""Rows that are shown with their differences."""
_LONGEST = 200  # characters of a value
_FAILURES = 5

Key = tuple[str, ...]
Marks = dict[Key, str]
"""A digest of each row, by its key."""

_COLUMNS = """
SELECT attname AS name FROM pg_attribute
WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
ORDER BY attnum
"""


class Counts(msgspec.Struct):
    """Rows of a table that a replay would add, change or remove, and those it would leave."""

    added: int = 0
    changed: int = 0
    removed: int = 0
    same: int = 0


class Difference(msgspec.Struct):
    """One such row: its key, and of every field that differs what it is and what it would be."""

    table: str
    key: dict[str, str]
    change: str
    fields: dict[str, tuple[str | None, str | None]]


class Findings(msgspec.Struct):
    """What a dry run has found so far. `left_out` are stages that it cannot rehearse, `failed`
    what stages have failed with."""

    tables: dict[str, Counts] = {}
    sample: list[Difference] = []
    left_out: list[str] = []
    failed: list[str] = []


class _Stand(Database):
    """A database that is one transaction: whatever is done in it is rolled back with that."""

    def __init__(self, url: str, connection: Connection) -> None:
        self.url = url
        self._one = connection

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        yield self._one

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        with self._one.transaction():
            yield self._one


def rehearse(database: Database, run: Sequence[Step], batch_id: int, findings: Findings) -> None:
    """Run stages on a batch, note what becomes another, and undo it all."""
    can = [step.stage for step in run if _can(step.stage)]
    left = {step.stage.name for step in run} - {one.name for one in can}
    findings.left_out = sorted({*findings.left_out, *left})
    with database.connection() as connection:
        origin = context(connection, batch_id)
        values: dict[str, Any] = {**origin.keys(), "batch_id": batch_id}
        behind = connection.execute(RECORDS, values).fetchall()
        values["records"] = [row["source_id"] for row in behind]
        values["contents"] = [row["content_hash"] for row in behind]
        tables = {one.name: one for stage in can for one in derived(stage)}
        looks = [_Look(connection, one, values) for one in tables.values()]
        with connection.transaction(force_rollback=True):
            for look in looks:
                look.before = look.marks()
            _run(_Stand(database.url, connection), can, batch_id, findings)
            for look in looks:
                look.after = look.marks(also=look.before)
                look.took(SAMPLES - len(findings.sample))
        for look in looks:
            look.compare(findings)


def _can(one: Stage) -> bool:
    return not one.apart and Vectors not in one.writes


def _run(stand: Database, run: Sequence[Stage], batch_id: int, findings: Findings) -> None:
    for one in run:
        try:
            with stand.transaction() as connection:
                since = connection.execute("SELECT now() AS at").fetchone()
                assert since is not None
                run_stage(stand, one.name, batch_id, since=since["at"])
        except psycopg.OperationalError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a stage raises
            said = error.message if isinstance(error, HeadraceError) else repr(error)
            if len(findings.failed) < _FAILURES:
                findings.failed.append(f"{one.name} on batch {batch_id}: {said}"[:_LONGEST])
            return


class _Look:
    """One table, before and after."""

    def __init__(self, connection: Connection, table: Derived, values: dict[str, Any]) -> None:
        self._connection = connection
        self._table = table
        self._values = values
        name = f"headrace.{table.name}"
        columns = [row["name"] for row in connection.execute(_COLUMNS, [name]).fetchall()]
        self._fields = [one for one in columns if one not in table.unlike]
        self.before: Marks = {}
        self.after: Marks = {}
        self._now: dict[Key, dict[str, str | None]] = {}

    def marks(self, also: Marks | None = None) -> Marks:
        """The digests of the rows that the batch is behind, and of those with these keys."""
        said = SQL("md5(ROW({})::text)").format(SQL(", ").join(self._columns()))
        return {self._key(row): row["said"] for row in self._rows(said, also or {})}

    def took(self, room: int) -> None:
        """Keep some of the rows that have changed, as they are now."""
        self._now = self._whole([key for key in self.after if self._differs(key)][: max(0, room)])

    def compare(self, findings: Findings) -> None:
        """Note what has become of the rows. The transaction is over: they are as they were."""
        if self._table.elsewhere is not None:
            self.before |= self.marks(also=self.after)
        counts = findings.tables.setdefault(self._table.name, Counts())
        changed = [key for key in {**self.before, **self.after} if self._differs(key)]
        added = sum(key not in self.before for key in changed)
        removed = sum(key not in self.after for key in changed)
        counts.added += added
        counts.removed += removed
        counts.changed += len(changed) - added - removed
        counts.same += len(self.before) - (len(changed) - added)
        room = SAMPLES - len(findings.sample)
        shown = [key for key in changed if key in self._now or key not in self.after][:room]
        then = self._whole(shown)
        for key in shown:
            findings.sample.append(self._difference(key, then.get(key), self._now.get(key)))

    def _differs(self, key: Key) -> bool:
        return self.before.get(key) != self.after.get(key)

    def _difference(
        self, key: Key, then: dict[str, str | None] | None, now: dict[str, str | None] | None
    ) -> Difference:
        change = "removed" if now is None else "changed" if then is not None else "added"
        fields = {
            name: (_short((then or {}).get(name)), _short((now or {}).get(name)))
            for name in self._fields
            if (then or {}).get(name) != (now or {}).get(name)
        }
        return Difference(
            self._table.name, dict(zip(self._table.key, key, strict=True)), change, fields
        )

    def _whole(self, keys: Sequence[Key]) -> dict[Key, dict[str, str | None]]:
        if not keys:
            return {}
        texts = SQL(", ").join(SQL("t.{0}::text").format(Identifier(one)) for one in self._fields)
        said = SQL("ARRAY[{}]").format(texts)
        wanted = set(keys)
        return {
            self._key(row): dict(zip(self._fields, row["said"], strict=True))
            for row in self._rows(said, dict.fromkeys(keys, ""))
            if self._key(row) in wanted
        }

    def _rows(self, said: Composed, also: Marks) -> Iterator[dict[str, Any]]:
        table = self._table
        key = SQL(", ").join(
            SQL("t.{}::text AS {}").format(Identifier(one), Identifier(f"key{at}"))
            for at, one in enumerate(table.key)
        )
        where: Composed = SQL("({})").format(SQL(table.of_batch))
        values = self._values
        if table.elsewhere is not None and also:
            where += SQL(" OR t.{} = ANY(%(also)s::{})").format(
                Identifier(table.key[0]), SQL(table.elsewhere)
            )
            values = {**values, "also": [one[0] for one in also]}
        statement = SQL(
            "SELECT {key}, {said} AS said FROM {table} AS t"
            " WHERE t.tenant_id = %(tenant)s AND ({where})"
        ).format(key=key, said=said, table=Identifier("headrace", table.name), where=where)
        yield from self._connection.execute(statement, values)

    def _columns(self) -> list[Composed]:
        return [SQL("t.{}").format(Identifier(one)) for one in self._fields]

    def _key(self, row: dict[str, Any]) -> Key:
        return tuple(row[f"key{at}"] for at in range(len(self._table.key)))


def _short(value: str | None) -> str | None:
    return value if value is None or len(value) <= _LONGEST else f"{value[:_LONGEST]}..."
