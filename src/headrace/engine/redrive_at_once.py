"""Retrying the dead letters of one batch at once, in the caller's transaction.

Anything raised, LookupError among it, says that they cannot be done so: one by one, each tells what
is wrong with it.
"""

from __future__ import annotations

from functools import partial

import msgspec

from headrace.engine.chain import undo
from headrace.engine.origin import context
from headrace.engine.redrive import code_of, land_again, reread, said_of
from headrace.engine.transform import transform
from headrace.plugins import stages
from headrace.provider import Record
from headrace.stage import RawEvent
from headrace.store.database import Connection
from headrace.store.dead_letters import entry
from headrace.store.projection import write_all
from headrace.store.sql import query


class Round(msgspec.Struct):
    """What became of many. `after` is where the next round begins; None when none is left."""

    retried: int = 0
    still_open: int = 0
    after: int | None = None


def run(connection: Connection, tenant: str, numbers: list[int], by: str | None) -> Round:
    """Run a stage on the raw events of letters, all of one batch and stage."""
    values = {"tenant": tenant, "numbers": numbers}
    rows = connection.execute(query("dead_letters", "many_to_retry"), values).fetchall()
    if len(rows) != len(numbers):
        raise LookupError  # some are over, or their raw events gone: each says so itself
    one, batch_id = stages()[rows[0]["stage"]], rows[0]["batch_id"]
    origin = context(connection, batch_id)
    given = [
        RawEvent(row["source_id"], row["version"], row["occurred_at"], row["payload"])
        for row in rows
    ]
    made, bad, versions = transform(one, given, origin.stream, isolate=True)
    write_all(
        connection,
        one.rows,
        made,
        tenant=origin.tenant,
        user=origin.user,
        stream_id=origin.stream_id,
        batch_id=batch_id,
        merge=True,
    )
    undo(connection, one, origin, batch_id)
    refused = {
        (said.source_id, version): (said.reason, said.hint)
        for said, version in zip(bad, versions, strict=True)
    }
    failed = {
        row["dead_letter_id"]: refused[row["source_id"], row["version"]]
        for row in rows
        if (row["source_id"], row["version"]) in refused
    }
    return _note(connection, tenant, numbers, failed, by, code_of(one.name))


def land(connection: Connection, tenant: str, numbers: list[int], by: str | None) -> Round:
    """Give the bytes of letters back to their provider, all of one stream and batch."""
    values = {"tenant": tenant, "numbers": numbers}
    rows = connection.execute(query("dead_letters", "many_to_land"), values).fetchall()
    if len(rows) != len(numbers):
        raise LookupError
    fresh = [row for row in rows if not row["superseded"]]
    records: dict[str, Record] = {}
    failed: dict[int, tuple[str, str]] = {}
    read = reread(rows[0], [row["raw"] or b"" for row in fresh])
    for row, record in zip(fresh, read, strict=True):
        number = row["dead_letter_id"]
        if isinstance(record, Exception):
            failed[number] = said_of(record, number)
        elif row["source_id"] is None or record.source_id in records:
            raise LookupError  # its id is known only now: the careful way looks for newer versions
        else:
            records[record.source_id] = record
    if records:
        land_again(connection, rows[0], list(records.values()))
    return _note(connection, tenant, numbers, failed, by, code_of("landing"))


def _note(
    connection: Connection,
    tenant: str,
    numbers: list[int],
    failed: dict[int, tuple[str, str]],
    by: str | None,
    code: str,
) -> Round:
    """Say in the letters what became of them. Last, as `redrive` does."""
    good = [number for number in numbers if number not in failed]
    say = partial(entry, by=by, code=code)
    values = {"tenant": tenant, "numbers": good, "entry": say("retried")}
    done = connection.execute(query("dead_letters", "resolve_many"), values).rowcount
    if done != len(good):
        raise LookupError  # somebody else has done one of them: their transaction stands
    if failed:
        values = {
            "tenant": tenant,
            "numbers": list(failed),
            "reasons": [reason for reason, _ in failed.values()],
            "hints": [hint for _, hint in failed.values()],
            "entry": say("failed"),
        }
        connection.execute(query("dead_letters", "many_still_dead"), values)
    return Round(len(good), len(failed))
