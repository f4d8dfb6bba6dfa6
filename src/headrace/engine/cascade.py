"""Running a stage on a batch: read, transform, write, bury what it refuses, say it was done."""

from __future__ import annotations

from datetime import datetime
from functools import partial

import psycopg

from headrace.engine.chain import Done, Ran, finish
from headrace.engine.child import transform_in_child
from headrace.engine.origin import context
from headrace.engine.pure import run_pure
from headrace.engine.transform import Make, transform
from headrace.engine.whole import run_whole
from headrace.errors import NeedsHuman
from headrace.plugins import stages
from headrace.provider import BadRecord
from headrace.store.database import Database

ATTEMPTS = 5

DEATHS = 2
"""Processes that have ended while they ran a batch, after which it is run in a child process: one
may have been killed by anybody."""


def run_stage(
    database: Database,
    name: str,
    batch_id: int,
    *,
    isolate: bool = False,
    deaths: int = 0,
    since: datetime | None = None,
) -> Ran:
    """Run one stage on one batch.

    Idempotent: run twice, it leaves the same rows. A record it refuses is buried alone; with
    `isolate`, so is a record that the stage fails on by a bug of its own, and one of which it
    makes what PostgreSQL cannot hold. After so many `deaths` of processes that ran it before, so is
    one that the stage dies of. Raises NeedsHuman where that cannot be told: in a stage that takes
    the batch itself.

    Where the stage has run on the batch before, or with `since`, which says when a replay of all
    its batches in their order began, the rows are made anew: nothing older stays. Where a newer
    version of it has, this process has old code, and leaves the batch to that, but for a replay.
    """
    one = stages()[name]
    if one.takes == "batch":
        if deaths >= ATTEMPTS:
            raise NeedsHuman(
                f"{deaths} processes have ended while they ran it.",
                hint="Look for crashes and want of memory in their logs.",
            )
        return run_whole(database, one, batch_id, since=since)
    make: Make = partial(transform, isolate=isolate)
    if deaths >= DEATHS:
        make, isolate = transform_in_child, True
    run = partial(run_pure, database, one, batch_id, make, isolate=isolate, since=since)
    try:
        return run(merge=False)
    except psycopg.errors.UniqueViolation:
        # The batch holds records that an earlier one brought, in another version.
        return run(merge=True)


def give_up(database: Database, name: str, batch_id: int, error: str) -> None:
    """A stage that failed at all its attempts: the batch is a dead letter, and blocks nothing."""
    one = stages()[name]
    with database.transaction() as connection:
        origin = context(connection, batch_id)
        hint = "Mend what the reason names, then retry the dead letter: the raw rows are kept."
        letter = BadRecord(
            b"", f"The stage failed on this batch: {error}", hint, f"batch/{batch_id}"
        )
        finish(connection, one, origin, batch_id, Done(0, 0, 0, error), [letter])
