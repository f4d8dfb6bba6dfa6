"""Does to a page what a fault rule says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

import msgspec

from headrace.twin import faults
from headrace.twin.events import Events
from headrace.twin.page import Page

_ESCAPES = {"nul": rb"\u0000", "surrogate": rb"\ud83d"}
# The places an escape goes to: every event has both.
_OPENINGS = {"value": b'"name":"', "key": b'"properties":{"'}

Rows = list[tuple[int, bytes]]
"""Index and text of each row of a page."""


def distort(
    page: Page,
    wrong: Sequence[faults.InPage],
    events: Events,
    indexes: range,
    *,
    here: str,
    used: Sequence[str],
) -> None:
    """Apply the faults to the page of events `indexes`, in order.

    `here` is a cursor that leads to this same page; `used` the cursors received, latest last.
    """
    rows: Rows = list(zip(indexes, events.rows(indexes.start, indexes.stop), strict=True))
    for fault in wrong:
        match fault:
            case faults.Empty():
                rows, page.more, page.cursor = [], True, here
            case faults.Shuffle():
                Random(indexes.start).shuffle(rows)  # noqa: S311 - repeatable is the point
            case faults.Repeat("rows"):
                rows = [row for row in rows for _ in range(2)]
            case faults.Repeat("page"):
                page.more, page.cursor = True, here
            case faults.Drift(changes, drop, every):
                rows = _changed(rows, every, lambda row: _drift(row, changes, drop))
            case faults.Escape(what, where, every):
                rows = _changed(rows, every, lambda row: _escape(row, what, where))
            case faults.Loop(back) if len(used) >= back and used[-back]:
                page.more, page.cursor = True, used[-back]
            case faults.EndCursor(cursor) if not page.more:
                page.cursor = cursor
    page.pieces, page.returned = [row for _, row in rows], len(rows)


def _changed(rows: Rows, every: int, change: Callable[[bytes], bytes]) -> Rows:
    return [(index, row if index % every else change(row)) for index, row in rows]


def _drift(row: bytes, changes: dict[str, object], drop: Sequence[str]) -> bytes:
    event = msgspec.json.decode(row) | changes
    return msgspec.json.encode({name: value for name, value in event.items() if name not in drop})


def _escape(row: bytes, what: str, where: str) -> bytes:
    opening = _OPENINGS[where]
    return row.replace(opening, opening + _ESCAPES[what], 1)
