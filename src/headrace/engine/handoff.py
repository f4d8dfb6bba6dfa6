"""Rows just landed, kept for a moment for the stage that most likely runs next, in this process.

Only a shortcut: what is not here, because another process landed it or memory was short, is read
from the table, where it stands as well.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final
from weakref import WeakKeyDictionary

from headrace.provider import Record
from headrace.stage import RawEvent
from headrace.store.database import Database

_MOST_BYTES: Final = 48 << 20

Batches = OrderedDict[int, tuple[Sequence[Record], int]]

# Batches are numbered anew in every database, so each has a shelf of its own.
_shelves: WeakKeyDictionary[Database, Batches] = WeakKeyDictionary()
_lock = threading.Lock()


def give(database: Database, batch_id: int, records: Sequence[Record], size: int) -> None:
    """Keep the records of a batch, all of them first versions. The oldest give way to memory."""
    with _lock:
        shelf = _shelves.setdefault(database, OrderedDict())
        shelf[batch_id] = (records, size)
        total = sum(size for _, size in shelf.values())
        while total > _MOST_BYTES:
            _, (_, freed) = shelf.popitem(last=False)
            total -= freed


def take(database: Database, batch_id: int) -> list[RawEvent] | None:
    """The rows of a batch, once; None where they must be read."""
    with _lock:
        found = _shelves.get(database, OrderedDict()).pop(batch_id, None)
    if found is None:
        return None
    return [RawEvent(one.source_id, 1, _as_stored(one), one.payload, one.gone) for one in found[0]]


def _as_stored(record: Record) -> datetime | None:
    """Its time as it is read back: no stage may make other rows of the one than of the other."""
    at = record.occurred_at
    return at if at is None or at.tzinfo is UTC else at.astimezone(UTC)
