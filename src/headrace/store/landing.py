"""Landing: records, batch, checkpoint and the next work in ONE transaction, or none of it.

After `land` returns, everything is there; if it raises, nothing is. A crash at any instant is one
of the two. Every commit is checked against the fence and balanced: fetched = inserted + unchanged
+ dead-lettered.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from hashlib import blake2b
from operator import attrgetter
from typing import Any

import msgspec
import psycopg

from headrace import __version__
from headrace.crashpoints import mark
from headrace.provider import JSON, BadRecord, Census, Record
from headrace.store.census import newest_copies, take_census
from headrace.store.checkpoints import Cancelled, Claim, Fenced, as_json
from headrace.store.database import Connection, Database
from headrace.store.sql import query
from headrace.text import clean_text

_SOURCE_ID = attrgetter("source_id")
RAW_TYPES = ("text", "text", "int8", "int8", "int4", "text", "bytea", "timestamptz", "bytea")
_STAGING_TYPES = ("int4", "text", "bytea", "timestamptz", "bytea", "text")

# After one commit that met known records, how many commits go through staging before the straight
# way is tried again: a failed try costs as much as a commit.
_CAUTION = 20

# How often a commit may meet others that write the same keys at the same time.
_COLLISIONS = 20

# What a dead letter keeps of words that came from outside; the id must fit into an index entry.
_LONGEST_ID = 2000
_LONGEST_WORDS = 4000


class Gathered(msgspec.Struct):
    """What one commit will land: whole pages, in order."""

    records: list[Record]
    bad: list[BadRecord]
    cursor_before: JSON
    cursor_after: JSON
    complete: bool
    pages: int
    payload_bytes: int
    cursor_hashes: list[bytes]
    unchanged: int = 0
    census: Census | None = None


class Landed(msgspec.Struct):
    """What one commit did. `fresh`: every record became a first version, as it stood."""

    batch_id: int
    fetched: int
    inserted: int
    unchanged: int
    dead_lettered: int
    fresh: bool = False


FollowUp = Callable[[Connection, int], None]
"""Writes the follow-up work of a batch inside the landing transaction."""


GONE = b""
"""What stands for the hash of a version that says that the source has deleted the record."""


def content_hash(payload: bytes) -> bytes:
    """The 16 bytes that tell one version of a record from another."""
    return blake2b(payload, digest_size=16).digest()


def _hash(record: Record) -> bytes:
    if record.gone:
        return GONE
    return content_hash(record.payload if record.fingerprint is None else record.fingerprint)


class Landing:
    """Lands the commits of one slice, in order; remembers only which way in is the faster.

    `ordered` is the provider's: see `Provider.ordered`.
    """

    def __init__(
        self, database: Database, claim: Claim, follow_up: FollowUp, *, ordered: bool = False
    ) -> None:
        self._database = database
        self._claim = claim
        self._follow_up = follow_up
        self._ordered = ordered
        # A walk that begins, or is repeated, may meet what is there; one that goes on rarely does.
        self._caution = 0 if claim.walk == 1 else 1

    def land(self, gathered: Gathered) -> Landed:
        """Commit one gathering. Raises Fenced, Cancelled or psycopg errors, and nothing stays."""
        for _ in range(_COLLISIONS):
            try:
                return self._land(gathered)
            except (psycopg.errors.UniqueViolation, psycopg.errors.DeadlockDetected):
                # Records that are there already; or other slices write the same keys this instant,
                # and then somebody has committed, or will: it is our turn soon.
                self._caution = _CAUTION
        return self._land(gathered)

    def _land(self, gathered: Gathered) -> Landed:
        claim = self._claim
        with self._database.transaction() as connection:
            batch_id = self._lock(connection)
            records = newest_copies(gathered.records) if self._ordered else gathered.records
            merging = bool(self._caution) or any(one.gone for one in records)
            if merging:
                inserted = merge(connection, claim.keys(), batch_id, records, ordered=self._ordered)
            else:
                inserted = self._copy(connection, batch_id, records)
            swept = take_census(connection, claim, batch_id, gathered)
            landed = Landed(
                batch_id=batch_id,
                fetched=len(gathered.records) + len(gathered.bad) + gathered.unchanged + swept,
                inserted=inserted + swept,
                unchanged=len(gathered.records) - inserted + gathered.unchanged,
                dead_lettered=len(gathered.bad),
                fresh=not merging and not swept,
            )
            if gathered.bad:
                bury(connection, claim.keys(), batch_id, "landing", gathered.bad)
            remember(connection, claim.keys(), records, ordered=self._ordered)
            mark("copied")
            self._write(connection, gathered, landed)
            if landed.inserted:
                self._follow_up(connection, batch_id)
            mark("before-ack")
        mark("acknowledged")
        self._caution = max(0, self._caution - 1)
        claim.cursor = gathered.cursor_after
        return landed

    def _lock(self, connection: Connection) -> int:
        keys = self._claim.keys()
        held = connection.execute(query("landing", "lock_checkpoint"), keys).fetchone()
        if held is None or held["epoch"] != self._claim.epoch:
            raise Fenced("Another worker has taken over this stream.")
        job = connection.execute(query("landing", "lock_job"), keys).fetchone()
        assert job is not None, "a SELECT without FROM answers"
        if job["status"] == "CANCELLED":
            raise Cancelled("The job was cancelled.")
        if job["status"] == "FAILED":
            raise Cancelled("The job has been failed.")
        return int(job["batch_id"])

    def _copy(self, connection: Connection, batch_id: int, records: Sequence[Record]) -> int:
        claim = self._claim
        head = (claim.tenant, claim.user, claim.stream_id, batch_id, 1)
        with connection.cursor().copy(query("landing", "copy_raw")) as copy:
            copy.set_types(RAW_TYPES)
            write = copy.write_row
            # In the key's order the index is filled leaf by leaf: a fifth less work for the server.
            for record in sorted(records, key=_SOURCE_ID):
                write((*head, record.source_id, _hash(record), record.occurred_at, record.payload))
        return len(records)

    def _write(self, connection: Connection, gathered: Gathered, landed: Landed) -> None:
        values = {
            **self._claim.keys(),
            **msgspec.structs.asdict(landed),
            "pages": gathered.pages,
            "payload_bytes": gathered.payload_bytes,
            "cursor_before": as_json(gathered.cursor_before),
            "cursor_after": as_json(gathered.cursor_after),
            "cursor_hashes": b"".join(gathered.cursor_hashes),
            "high_water": _newest(gathered.records),
            "complete": gathered.complete,
        }
        connection.execute(query("landing", "write_batch"), values)
        connection.execute(query("landing", "move_checkpoint"), values)


def merge(
    connection: Connection,
    keys: dict[str, Any],
    batch_id: int,
    records: Sequence[Record],
    *,
    ordered: bool,
) -> int:
    """Land records of which some may be known; how many are new, or other than before."""
    connection.execute(query("landing", "make_staging"))
    with connection.cursor().copy(query("landing", "copy_staging")) as copy:
        copy.set_types(_STAGING_TYPES)
        for ord_, one in enumerate(records):
            mark = one.mark if ordered else None
            copy.write_row((ord_, one.source_id, _hash(one), one.occurred_at, one.payload, mark))
    merged = connection.execute(query("landing", "merge_staging"), {**keys, "batch_id": batch_id})
    return merged.rowcount


def remember(
    connection: Connection, keys: dict[str, Any], records: Sequence[Record], *, ordered: bool
) -> None:
    """Keep the marks of records that have one, and forget those of records that are gone."""
    marks = {one.source_id: one.mark for one in records if one.mark is not None}
    if marks:
        values = {**keys, "ids": list(marks), "marks": list(marks.values()), "ordered": ordered}
        connection.execute(query("landing", "write_marks"), values)
    gone = [one.source_id for one in records if one.gone]
    if gone:
        connection.execute(query("landing", "forget"), {**keys, "ids": gone})


def _newest(records: Sequence[Record]) -> datetime | None:
    return max((r.occurred_at for r in records if r.occurred_at is not None), default=None)


def bury(
    connection: Connection,
    keys: dict[str, Any],
    batch_id: int | None,
    stage: str,
    bad: Sequence[BadRecord],
    versions: Sequence[int | None] = (),
) -> None:
    """Write dead letters in the caller's transaction; `keys` are those of `Claim.keys`.

    Whatever their words hold, they can be written: a letter must never block what comes with it.
    """
    rows = [
        {
            **keys,
            "batch_id": batch_id,
            "stage": stage,
            "source_id": None if letter.source_id is None else _id(letter.source_id),
            "version": versions[at] if versions else None,
            # One without an id is known by what is wrong with it as well: two empty mails in one
            # mailbox are two.
            "content_hash": content_hash(
                letter.raw
                if letter.source_id is not None
                else letter.raw + letter.reason.encode("utf-8", "surrogatepass")
            ),
            "raw": letter.raw,
            "reason": clean_text(letter.reason[:_LONGEST_WORDS]),
            "hint": clean_text(letter.hint[:_LONGEST_WORDS]),
            "code": __version__,
        }
        for at, letter in enumerate(bad)
    ]
    # Sorted, so that two slices that bury the same records wait for each other, no more.
    rows.sort(key=lambda row: (row["source_id"] or "", row["content_hash"], row["version"] or 0))
    with connection.cursor() as cursor:
        cursor.executemany(query("landing", "write_dead_letter"), rows)


def _id(source_id: str) -> str:
    return clean_text(source_id).encode()[:_LONGEST_ID].decode(errors="ignore")
