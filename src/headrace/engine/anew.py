"""Making anew what a stage has made of a batch before: nothing older stays."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from headrace.engine.origin import Context
from headrace.plugins import made_below, steps
from headrace.provider import BadRecord
from headrace.stage import RawEvent, Row, Stage
from headrace.store.database import Connection
from headrace.store.renew import clear, forget_orphans, forget_superseded, settle_letters


def clear_own(
    connection: Connection,
    one: Stage,
    origin: Context,
    batch_id: int,
    given: Sequence[RawEvent | Row],
) -> None:
    """Delete what the stage has made of these before. A table that another stage of the same
    content writes too is left as it is: nobody can tell whose the rows are."""
    others = {
        row
        for step in steps(origin.stream.content)
        if step.stage is not one
        for row in step.stage.writes
    }
    tables = [row.table for row in one.rows if row not in others]
    ids = [row.source_id for row in given]
    clear(connection, tables, origin.keys(), batch_id, ids)


def clear_below(
    connection: Connection,
    one: Stage,
    origin: Context,
    batch_id: int,
    rows: Sequence[Row],
    since: datetime | None,
) -> None:
    """Delete what nobody would make again: versions that a later one has replaced by nothing, and
    what other stages have made of rows that are no longer there."""
    own = [row.table for row in one.rows]
    if RawEvent in one.reads:  # rows of other stages are those of the version that counts
        ids = [row.source_id for row in rows]
        forget_superseded(connection, own, origin.keys(), batch_id, one.name, ids, since)
    below = [row.table for row in made_below(origin.stream.content, one) if row not in one.rows]
    forget_orphans(connection, below, origin.keys(), batch_id, own)


def settle(
    connection: Connection,
    one: Stage,
    origin: Context,
    batch_id: int,
    bad: Sequence[BadRecord],
) -> None:
    """Dead letters of older versions of the stage are over; those of what is refused still stay."""
    refused = [str(letter.source_id) for letter in bad]
    settle_letters(connection, origin.keys(), batch_id, one.name, one.version, refused)
