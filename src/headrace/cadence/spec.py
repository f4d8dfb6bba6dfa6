"""What a person writes of when: "every 15m", "learned 15m to 1h", or a cron with its time zone."""

from __future__ import annotations

import difflib
import re
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import msgspec

from headrace.cadence import cron, spans
from headrace.errors import BadInput
from headrace.text import one_line

LEAST_SECONDS = 60
"""Nothing is run more often by itself: what needs to be sooner is better told than asked."""
MOST_SECONDS = 366 * 86_400
FLOOR_SECONDS, CEILING_SECONDS = 900, 3600
"""Between what a learned cadence stays where nobody says otherwise."""

HINT = 'Write "every 15m", "learned", or a cron such as "0 7 * * mon".'

_EVERY = re.compile(r"every\s+(.+)", re.IGNORECASE)
_LEARNED = re.compile(r"(?:every:?\s+)?learned(?:\s+(.+?)\s+to\s+(.+))?", re.IGNORECASE)


class Spec(msgspec.Struct, frozen=True):
    """What was written, and what it means: `every` so many seconds, a `cron` as its `zone` has it,
    or what is learned between `floor` and `ceiling`."""

    text: str
    zone: str = "UTC"
    every: int | None = None
    cron: str | None = None
    floor: int | None = None
    ceiling: int | None = None

    @property
    def learned(self) -> bool:
        """Whether the cadence is learned."""
        return self.floor is not None

    def words(self) -> str:
        """The same for a person."""
        if self.floor is not None and self.ceiling is not None:
            between = f"{spans.words(self.floor)} and {spans.words(self.ceiling)}"
            return f"learned from what it finds, between {between}"
        if self.every is not None:
            return f"every {spans.words(self.every)}"
        return f"at {self.cron} in {self.zone}"


def every(seconds: int, *, least: int = LEAST_SECONDS) -> Spec:
    """A fixed cadence. Raises BadInput."""
    return _in_bounds(Spec(f"every {spans.short(seconds)}", every=seconds), seconds, least)


@lru_cache(1024)
def parse(text: str, zone: str = "UTC", *, least: int = LEAST_SECONDS) -> Spec:
    """What is meant. Raises BadInput for what is none, never comes, or comes too often."""
    tidy = " ".join(one_line(text).split())
    _zone(zone)
    if found := _LEARNED.fullmatch(tidy):
        floor, ceiling = FLOOR_SECONDS, CEILING_SECONDS
        if found[1]:
            floor, ceiling = _span(found[1], tidy), _span(found[2], tidy)
        if floor > ceiling:
            raise BadInput(
                f"The floor of {tidy!r} is above its ceiling.", hint="Write learned 15m to 1h."
            )
        spec = Spec(tidy, zone, floor=floor, ceiling=ceiling)
        return _in_bounds(_in_bounds(spec, floor, least), ceiling, least)
    if found := _EVERY.fullmatch(tidy):
        span = _span(found[1], tidy)
        return _in_bounds(Spec(tidy, zone, every=span), span, least)
    span_ = spans.seconds(tidy)
    if span_ is not None:
        return _in_bounds(Spec(f"every {tidy}", zone, every=span_), span_, least)
    if len(tidy.split()) != 5 and not tidy.startswith("@"):
        raise BadInput(f"{tidy!r} does not say when.", hint=HINT)
    cron.check(tidy)
    return Spec(tidy, zone, cron=tidy)


def _span(text: str, whole: str) -> int:
    span = spans.seconds(text)
    if span is None:
        raise BadInput(f"{whole!r} does not say how often.", hint="Write every 15m, 2h or 1d.")
    return span


def _in_bounds(spec: Spec, seconds: int, least: int) -> Spec:
    if seconds < max(least, 1):
        raise BadInput(
            f"{spec.text!r} is more often than anything is run by itself.",
            hint=f"The least is every {spans.short(LEAST_SECONDS)}.",
        )
    if seconds > MOST_SECONDS:
        raise BadInput(f"{spec.text!r} is longer than a year.", hint="Write a cron for that.")
    return spec


def _zone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        known = sorted(available_timezones())
        folded = {one.lower(): one for one in known}
        near = difflib.get_close_matches(name.lower(), folded, n=1, cutoff=0.5)
        raise BadInput(
            f"There is no time zone {one_line(name)!r}.",
            hint=f"Did you mean {folded[near[0]]}?" if near else "Write one such as Europe/Berlin.",
        ) from None
