"""Interactions to a memory engine, one telling for each version of a record.

What is told is written down before the next is: a stage that is run again goes on where it was. The
row of a record is held while its engine is told, so that an older version never comes after a newer
one. A process that dies between the engine's answer and the commit tells once more, with the same
key: an engine that looks at keys, or at ids, has it once; one that looks at neither, twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

import psycopg

from headrace.memory.engine import MemoryEngine, Refused
from headrace.memory.told import record
from headrace.provider import BadRecord
from headrace.rows import InteractionRow, Memories
from headrace.settings import Settings
from headrace.stage import Batch, Made, stage

Held = dict[str, Any]

MEMORIES = 0x48524D45
"""A stream's lock, shared by whoever tells an engine of its records."""

# What the batch has that the engine ought to know; what it has that it ought to know no more.
_ROWS = """
SELECT i.source_id, i.version, i.source, i.kind, i.direction, i.occurred_at, i.thread_id,
  i.from_name, i.from_address, i.to_addresses, i.subject, i.unquoted, i.body,
  i.kind <> 'email_draft' AND (%(all)s OR i.automated IS NULL) AS wanted
FROM headrace.interactions i
WHERE i.tenant_id = %(tenant)s AND i.batch_id = %(batch_id)s
ORDER BY i.source_id
"""
_GONE = """
SELECT source_id, version FROM headrace.raw_events
WHERE tenant_id = %(tenant)s AND batch_id = %(batch_id)s AND content_hash = ''
ORDER BY source_id
"""

# Two statements: only after it holds the rows does one see what another has just committed. What is
# deleted or edited from then on, its own batch tells, once it holds them.
_PLACE = """
INSERT INTO headrace.memories (tenant_id, user_id, stream_id, source_id, engine, version)
SELECT %(tenant)s, %(user)s, %(stream_id)s, id, %(engine)s, 0
FROM unnest(%(ids)s::text[]) AS id ORDER BY id
ON CONFLICT DO NOTHING
"""
_HOLD = """
SELECT source_id, version, remote, told_hash FROM headrace.memories
WHERE tenant_id = %(tenant)s AND stream_id = %(stream_id)s AND engine = %(engine)s
  AND source_id = ANY(%(ids)s)
ORDER BY source_id FOR UPDATE
"""
_STILL = """
SELECT source_id FROM headrace.interactions
WHERE tenant_id = %(tenant)s AND stream_id = %(stream_id)s AND batch_id = %(batch_id)s
  AND source_id = ANY(%(ids)s)
"""
_TOLD = """
UPDATE headrace.memories SET version = %(version)s, told_hash = %(told_hash)s, remote = %(remote)s,
  told_at = now()
WHERE tenant_id = %(tenant)s AND stream_id = %(stream_id)s AND source_id = %(source_id)s
  AND engine = %(engine)s
"""

_FORGOTTEN_AT_ONCE = 20


def _asked_for(settings: Settings) -> bool:
    return settings.memory_engine_url is not None


@stage(version=1, apart=True, when=_asked_for)
def remember(batch: Batch[InteractionRow]) -> Made[Memories]:
    """Tell the engine of what is new or other in the batch, and to forget what is gone."""
    keys = {**batch.keys(), "all": batch.settings.memory_engine_from == "all"}
    rows = batch.read(_ROWS, keys)
    unwanted = [row for row in rows if not row["wanted"]]
    forgotten = [*batch.read(_GONE, keys), *unwanted]
    wanted = [row for row in rows if row["wanted"]]
    bad: list[tuple[BadRecord, int]] = []
    told = 0
    if wanted or forgotten:
        with MemoryEngine(batch.settings) as engine:
            teller = _Teller(batch, engine, bad)
            for some in _some(forgotten, _FORGOTTEN_AT_ONCE):
                teller.forget(some)
            for some in _some(wanted, engine.shape.add.at_once):
                told += teller.tell(some)

    def write(connection: psycopg.Connection[dict[str, Any]]) -> int:
        del connection  # what was told has been written down as it was told
        return told

    letters, versions = [one for one, _ in bad], [version for _, version in bad]
    return Made(len(rows), write, letters, versions)


def _some(rows: Sequence[Held], count: int) -> Iterator[Sequence[Held]]:
    return (rows[at : at + count] for at in range(0, len(rows), count))


def _ids(rows: Sequence[Held]) -> list[str]:
    return [row["source_id"] for row in rows]


class _Teller:
    def __init__(
        self, batch: Batch[Any], engine: MemoryEngine, bad: list[tuple[BadRecord, int]]
    ) -> None:
        self._engine = engine
        self._bad = bad
        self._keys = {**batch.keys(), "engine": engine.name}
        space = engine.space(batch.tenant, batch.user)
        self._own = {"tenant": batch.tenant, "user": batch.user, "space": space}
        self._connection = batch.hold(MEMORIES)
        self._prepared = False

    def forget(self, rows: Sequence[Held]) -> None:
        """Have those forgotten that the engine has been told of."""
        with self._connection.transaction():
            held = self._hold(rows)
            for row in rows:
                there = held.get(row["source_id"])
                if there and there["version"] <= row["version"] and there["told_hash"] is not None:
                    self._remove(row, there)
                    self._say(row, None, [])

    def tell(self, rows: Sequence[Held]) -> int:
        """Tell of those that the engine does not know as they are; how many."""
        with self._connection.transaction():
            self._connection.execute(_PLACE, {**self._keys, "ids": _ids(rows)})
            held, still = self._hold(rows), self._still(rows)
            fresh = []
            for row in rows:
                there = held[row["source_id"]]
                known = there["version"] == row["version"] and there["told_hash"] is not None
                if known or there["version"] > row["version"] or row["source_id"] not in still:
                    continue
                told = record(self._keys, row)
                hash_ = hashlib.sha256(told["text"].encode()).digest()
                if there["told_hash"] == hash_:
                    self._say(row, hash_, there["remote"])  # only its labels are others
                    continue
                if there["told_hash"] is not None and not self._engine.shape.upsert:
                    self._remove(row, there)
                fresh.append((row, told, hash_))
            return self._add(fresh)

    def _add(self, fresh: Sequence[tuple[dict[str, Any], dict[str, Any], bytes]]) -> int:
        if not fresh:
            return 0
        if not self._prepared:
            self._engine.prepare(self._own)
            self._prepared = True
        try:
            ids = self._engine.add(self._own, [told for _, told, _ in fresh])
        except Refused as no:
            if len(fresh) == 1:
                row = fresh[0][0]
                self._bad.append(
                    (BadRecord(b"", no.message, no.hint, row["source_id"]), row["version"])
                )
                return 0
            middle = len(fresh) // 2
            return self._add(fresh[:middle]) + self._add(fresh[middle:])
        for (row, _, hash_), remote in zip(fresh, ids, strict=True):
            self._say(row, hash_, remote)
        return len(fresh)

    def _remove(self, row: Held, there: Held) -> None:
        told = record(self._keys, {"source_id": row["source_id"], "version": row["version"]})
        self._engine.remove({**self._own, **told}, there["remote"])

    def _hold(self, rows: Sequence[Held]) -> dict[str, Held]:
        found = self._connection.execute(_HOLD, {**self._keys, "ids": _ids(rows)})
        return {one["source_id"]: one for one in found}

    def _still(self, rows: Sequence[Held]) -> set[str]:
        found = self._connection.execute(_STILL, {**self._keys, "ids": _ids(rows)})
        return {one["source_id"] for one in found}

    def _say(self, row: Held, hash_: bytes | None, remote: Sequence[str]) -> None:
        values = {"source_id": row["source_id"], "version": row["version"]}
        told = {"told_hash": hash_, "remote": list(remote)}
        self._connection.execute(_TOLD, {**self._keys, **values, **told})
