"""When a walk begins, how far back it looks, and when a list is to be read from its start again."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from headrace.github.lists import Tag
from headrace.in_step import Place
from headrace.provider import Census

OVERLAP = 60.0
"""Seconds before the watermark that are asked for again: copies of GitHub's database lag a little
behind one another (rule H1)."""

_DAY = 86_400.0


class Walk(msgspec.Struct, frozen=True):
    """The times of one exchange: `now` is seconds since 1970; a list is read from its start every
    `sweep_days`; what was changed more than `days` before the first run is left out."""

    now: float
    sweep_days: float
    days: int | None


class Cursor(Place, forbid_unknown_fields=True):
    """Where a walk is. `began` is set while one is under way; `sweep` says that it reads the list
    from its start, to find what is gone; `swept` is when the last such one began."""

    since: str = ""
    floor: str = ""
    began: float = 0.0
    newest: str = ""
    sweep: bool = False
    swept: float = 0.0
    tag: Tag = Tag()
    poll: float = 0.0
    asked: float = 0.0
    """Seconds to leave between two polls, as GitHub says, and when the last one was."""


def begin(at: Cursor, walk: Walk) -> Cursor:
    """The cursor with which a walk begins: from the watermark, or of everything."""
    floor = at.floor or window(walk, first=not at.swept)
    sweep = due(at.swept, walk)
    since = floor if sweep else at.since
    return Cursor(since, floor, walk.now, at.newest, sweep, at.swept, at.tag)


def end(at: Cursor, tag: Tag) -> Cursor:
    """The cursor with which the next walk begins: the watermark is the newest change seen, or the
    walk's beginning if that was earlier, less the overlap."""
    since = at.floor
    if at.newest:
        mark = min(seconds(at.newest), at.began)
        since = max(since, stamp(mark - OVERLAP))
    swept = at.began if at.sweep else at.swept
    return Cursor(since, at.floor, newest=at.newest, swept=swept, tag=tag)


def window(walk: Walk, *, first: bool) -> str:
    """Where what is wanted begins; fixed at the first run. "": with everything."""
    if not first or walk.days is None:
        return ""
    return stamp(walk.now - walk.days * _DAY)


def due(swept: float, walk: Walk) -> bool:
    """Whether a list is to be read from its start."""
    return swept + walk.sweep_days * _DAY <= walk.now


def part(sweep: bool, *, first: bool, last: bool) -> Census | None:
    """The page's part in the census, if the walk is one (rule H8)."""
    return Census(first=first, last=last) if sweep else None


def stamp(instant: float) -> str:
    """As GitHub writes times: whole seconds."""
    return datetime.fromtimestamp(instant, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def seconds(text: str) -> float:
    """Seconds since 1970 of one of GitHub's times; 0 for what is none."""
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return 0.0
