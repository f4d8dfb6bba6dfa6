"""The feed of changes: which records were added, updated and deleted, in one order for everybody.

A batch is numbered after its commit, by whoever looks first, one at a time. So a number that can be
seen has no smaller one that is yet to come, however the batches themselves overlapped; landing does
nothing for it. Webhooks that want it are told of a batch by the transaction that numbers it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import Any, NamedTuple

from headrace.errors import Expired
from headrace.store import outbox
from headrace.store.cursor import cursor
from headrace.store.database import Connection, Database, as_owner
from headrace.store.sql import query

DUE = """
(pg_sequence_last_value('headrace.feed') IS NOT NULL OR EXISTS (SELECT FROM headrace.webhooks
    WHERE NOT paused AND 'records.changed' = ANY(events)))
  AND EXISTS (SELECT FROM headrace.batches WHERE feed IS NULL AND inserted > 0)
"""
"""Asked with everything else: see `engine.dispatch`. What nobody has ever read, or wants to be told
of, is not numbered."""

MOST = 1000
"""Records of one page, and batches that one transaction numbers."""
_LOCK = {"space": 0x4852_4645, "lock": 1}


class Place(NamedTuple):
    """Where a reader stands: after this version of this record in the batch of this number."""

    feed: int
    source_id: str
    version: int


START = Place(0, "", 0)


class Changed(NamedTuple):
    """What follows a place: rows of `records`, where they end, and whether there is more."""

    rows: list[dict[str, Any]]
    place: Place
    more: bool


def number(database: Database, rounds: int | None = None) -> bool:
    """Number what has been landed since the last look; of a lot, at most this often MOST batches.
    Whether that was all."""
    with database.connection() as connection:
        row = connection.execute(query("changes", "any_unnumbered")).fetchone()
    if not (row and row["some"]):
        return True
    for _ in count() if rounds is None else range(rounds):
        with database.transaction() as connection:
            connection.execute(query("changes", "alone"), _LOCK)
            found = connection.execute(query("changes", "number"), {"most": MOST}).fetchall()
            _tell(connection, [one["batch_id"] for one in found])
        if len(found) < MOST:
            return True
    return False


def page(connection: Connection, after: Place, limit: int) -> Changed:
    """The next changes that this session may see. Raises Expired for a place that the feed has not
    reached: the database was put back to an older time."""
    asked = {"feed": after.feed, "limit": limit + 1}
    batches = connection.execute(query("changes", "batches"), asked).fetchall()
    chosen: list[dict[str, Any]] = []
    rows = 0
    for one in batches:
        if rows > limit:
            break
        # The first may have been read in part.
        rows += one["inserted"] if chosen else 0
        chosen.append(one)
    if not chosen:
        _reached(connection, after)
        return Changed([], after, more=False)
    values = {**after._asdict(), "limit": limit + 1}
    values["batches"] = [one["batch_id"] for one in chosen]
    found = connection.execute(query("changes", "records"), values).fetchall()
    if len(found) > limit:
        last = found[limit - 1]
        place = Place(last["feed"], last["source_id"], last["version"])
        return Changed(found[:limit], place, more=True)
    # Of an older batch there may be less than it once brought: what is superseded is not kept.
    more = len(chosen) < len(batches) or len(batches) > limit
    return Changed(found, Place(chosen[-1]["feed"] + 1, "", 0), more)


def _reached(connection: Connection, after: Place) -> None:
    with as_owner(connection):
        row = connection.execute(query("changes", "last")).fetchone()
    if row is not None and after.feed > row["last_value"] + 1:
        raise Expired(
            "The feed does not reach as far as this cursor: an older backup was restored.",
            hint="Read on from a `next` of a time before the backup, or from the beginning.",
        )


def newest(connection: Connection) -> Place:
    """The place after all that this session may see."""
    row = connection.execute(query("changes", "newest")).fetchone()
    return Place(row["feed"] + 1 if row else 0, "", 0)


def _tell(connection: Connection, batch_ids: Sequence[int]) -> None:
    values = {"batches": list(batch_ids), "event": outbox.RECORDS_CHANGED}
    rows = connection.execute(query("changes", "wanted"), values).fetchall()
    outbox.tell_all(connection, [_news(row) for row in rows])


def _news(row: dict[str, Any]) -> outbox.News:
    names = ["connection_id", "stream_id", "stream", "content", "slice", "user_id", "batch_id"]
    names += ["job_id", "added", "updated", "deleted"]
    data = {name: row[name] for name in names}
    data["checkpoint"] = {"from": row["cursor_before"], "to": row["cursor_after"]}
    # What GET /api/changes?after= begins with is this batch.
    data["after"] = cursor(*Place(row["feed"], "", 0))
    subject = f"stream/{row['stream_id']}"
    return outbox.News(row["tenant_id"], row["user_id"], outbox.RECORDS_CHANGED, subject, data)
