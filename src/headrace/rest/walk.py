"""From one cursor to the next: the walk's position, its loop guard and its watermark."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import msgspec

from headrace.provider import JSON, Record
from headrace.rest import cursor
from headrace.rest.cursor import Loop, State
from headrace.rest.pagination import Following
from headrace.rest.stream_spec import Stream


def advance(
    stream: Stream, state: State, records: Iterable[Record], going: Following, now: datetime
) -> JSON:
    """The cursor after a page. Raises NeedsHuman when the walk goes in circles (R2).

    Inside a walk it holds where to go on. At its end it holds where the next run begins: at the
    newest time seen (`since`), at the last cursor (`resume`), or, as None, at the start.
    """
    began, seen = state.began, state.seen
    if stream.since is not None:
        began = began or now
        seen = newest(records, seen, began)
    if going.at is not None:
        guard = (state.loop or Loop()).step(going.at)
        return cursor.write(
            msgspec.structs.replace(state, at=going.at, seen=seen, began=began, loop=guard)
        )
    if stream.pagination.resume:
        return cursor.write(State(at=going.last or state.at, path=state.path))
    if stream.since is not None:
        marks = [mark for mark in (state.since, seen) if mark is not None]
        if marks:
            return cursor.write(State(since=max(marks), path=state.path))
    return None


def newest(records: Iterable[Record], seen: datetime | None, began: datetime) -> datetime | None:
    """The newest time up to the beginning of the walk (H1).

    A later one is left out: it may be a clock that is ahead, and a watermark in the future would
    hide everything that comes until then.
    """
    times = [r.occurred_at for r in records if r.occurred_at is not None and r.occurred_at <= began]
    if seen is not None:
        times.append(seen)
    return max(times, default=None)
