"""From one cursor to the next: the walk's position and its watermark."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from headrace.errors import NeedsHuman
from headrace.provider import JSON, Record
from headrace.rest import cursor
from headrace.rest.cursor import State
from headrace.rest.pagination import Following
from headrace.rest.stream_spec import Stream


def advance(
    stream: Stream, state: State, records: Sequence[Record], going: Following, now: datetime
) -> JSON:
    """The cursor after a page. Raises NeedsHuman when a source ignores the number of the page.

    Inside a walk it holds where to go on. At its end it holds where the next run begins: at the
    newest time seen (`since`), at the last cursor (`resume`), or, as None, at the start.
    """
    began, seen = state.began, state.seen
    if stream.since is not None:
        began = began or now
        seen = newest(records, seen, began)
    if going.at is not None:
        last = _held(state, records) if going.at.counts else None
        return cursor.write(
            msgspec.structs.replace(state, at=going.at, seen=seen, began=began, last=last)
        )
    if stream.pagination.resume:
        return cursor.write(State(at=going.last or state.at, path=state.path))
    if stream.since is not None:
        marks = [mark for mark in (state.since, seen) if mark is not None]
        if marks:
            return cursor.write(State(since=max(marks), path=state.path))
    return None


def _held(state: State, records: Sequence[Record]) -> str | None:
    """What a counted page held: numbers never come back, so a circle shows only in the pages (R2).

    Raises NeedsHuman when it held what the page before it held.
    """
    if not records:
        return state.last
    held = f"{len(records)} from {records[0].source_id} to {records[-1].source_id}"
    if held == state.last:
        raise NeedsHuman(
            "The source sent the same page twice: it ignores which page it is asked for.",
            hint="Check pagination.style and pagination.param in the spec.",
        )
    return held


def newest(records: Sequence[Record], seen: datetime | None, began: datetime) -> datetime | None:
    """The newest time up to the beginning of the walk (H1).

    A later one is left out: it may be a clock that is ahead, and a watermark in the future would
    hide everything that comes until then.
    """
    times = [r.occurred_at for r in records if r.occurred_at is not None and r.occurred_at <= began]
    if seen is not None:
        times.append(seen)
    return max(times, default=None)
