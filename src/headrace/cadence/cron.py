"""The moments of a cron in a time zone, through the nights in which clocks are changed.

croniter reads the expression and finds the next time on a clock that is never changed; what that is
as a moment is decided here. A cron that names its hours means times on the wall: each is run once,
the first of two that are the same, and one that a night leaves out when the gap is over. A cron of
every hour means a rhythm: it goes on through the hour that comes twice.
"""

from __future__ import annotations

import re
import threading
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from croniter import CroniterBadDateError, CroniterError, croniter

from headrace.errors import BadInput

_lock = threading.Lock()
_MINUTE = timedelta(minutes=1)
_STEP = timedelta(days=7)
# Its random and hashed fields would be another time whenever they are read.
_KNOWN = re.compile(r"@(hourly|daily|midnight|weekly|monthly|yearly|annually)|[\dA-Z*/,#?\s-]+")
_RANDOM = re.compile(r"\b[HR]\b|\bR\(|\bH\(")


def check(text: str) -> None:
    """Raises BadInput for a cron that cannot be read, or that never comes."""
    wrong = BadInput(
        f"{text!r} is no cron that can be read.",
        hint='It has five fields: minute, hour, day, month, weekday; such as "0 7 * * mon".',
    )
    known = _KNOWN.fullmatch(text.upper()) or _KNOWN.fullmatch(text.lower())
    if not known or (len(text.split()) != 5 and text[:1] != "@") or _RANDOM.search(text.upper()):
        raise wrong
    try:
        _next(text, datetime(2026, 1, 1))  # noqa: DTZ001 - a time on a wall
    except CroniterBadDateError:
        raise BadInput(
            f"The cron {text!r} never comes.",
            hint="Its months do not have that day: 30 February is none.",
        ) from None
    except (CroniterError, ValueError, KeyError):
        raise wrong from None


def after(text: str, zone: str, moment: datetime) -> datetime:
    """The first moment of the cron that is later than this one."""
    there = ZoneInfo(zone)
    found = _by_rhythm if _every_hour(text) else _by_wall
    return found(text, there, moment.astimezone(UTC))


@lru_cache(4096)
def _next(text: str, wall: datetime) -> datetime:
    # Reading an expression takes most of the time; whoever has been read keeps where it is.
    with _lock:
        found: datetime = _read(text).get_next(datetime, start_time=wall)
    return found


@lru_cache(1024)
def _read(text: str) -> croniter:
    return croniter(text)


@lru_cache(1024)
def _every_hour(text: str) -> bool:
    return croniter(text).expanded[1] in (["*"], list(range(24)))


def _wall(moment: datetime, zone: ZoneInfo) -> datetime:
    """The time on the wall, to the minute: no cron is finer."""
    return moment.astimezone(zone).replace(tzinfo=None, second=0, microsecond=0)


def _by_wall(text: str, zone: ZoneInfo, moment: datetime) -> datetime:
    wall = _wall(moment, zone)
    while True:
        wall = _next(text, wall)
        found = _moment(wall, zone)
        if found > moment:
            return found


def _moment(wall: datetime, zone: ZoneInfo) -> datetime:
    """When the wall shows this for the first time; the end of the gap, where it never does."""
    found = wall.replace(tzinfo=zone).astimezone(UTC)
    if found.astimezone(zone).replace(tzinfo=None) == wall:
        return found
    return _change(wall.replace(tzinfo=zone, fold=1).astimezone(UTC), found, zone)


def _by_rhythm(text: str, zone: ZoneInfo, moment: datetime) -> datetime:
    while True:
        offset = _offset(moment, zone)
        found = (_next(text, _wall(moment, zone)) - offset).replace(tzinfo=UTC)
        if _offset(found, zone) == offset:
            return found
        # The clock is changed before that: look again from there, the moment itself included.
        while _offset(min(moment + _STEP, found), zone) == offset:
            moment += _STEP
        moment = _change(moment, min(moment + _STEP, found), zone)
        wall = moment.astimezone(zone).replace(tzinfo=None)
        if _next(text, wall - _MINUTE) == wall:
            return moment


def _offset(moment: datetime, zone: ZoneInfo) -> timedelta:
    offset = moment.astimezone(zone).utcoffset()
    assert offset is not None, "it has a zone"
    return offset


def _change(before: datetime, later: datetime, zone: ZoneInfo) -> datetime:
    """The moment between these two at which the clock is changed, to the second."""
    first = _offset(before, zone)
    low, high = int(before.timestamp()), int(later.timestamp())
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(datetime.fromtimestamp(middle, UTC), zone) == first:
            low = middle
        else:
            high = middle
    return datetime.fromtimestamp(high, UTC)
