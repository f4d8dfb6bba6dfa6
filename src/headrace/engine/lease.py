"""What one process has drawn of an allowance and has not used yet; arithmetic only.

A lease is a number of units and the moments at which they are earned. Paying takes the earliest
ones, and says from when on they may be used. What is not used for a second after it was earned, or
drawn, is gone: blocks that processes have kept must not be used all in one minute.
"""

from __future__ import annotations

import math

from headrace.store.allowances import Drawn

KEEP = 1.0
"""Seconds for which units can be kept. Together with `allowances.BURST`, that is how much more than
is earned in a minute may be used in it: 62 seconds' worth."""

BLOCK = 1.0
"""Seconds' worth of what is used of late that is drawn at once."""

_GROWS = 4


class Lease:
    """One process's part of an allowance. Moments are seconds of a clock that never jumps."""

    def __init__(self) -> None:
        self.left = 0
        self._at = -math.inf  # when the last unit that was paid had been earned
        self._each = 0.0
        self._drawn = -math.inf
        self._used = 0
        self._size = 0

    def pay(self, units: int, now: float) -> float | None:
        """From when on these units may be used; None where there are not so many."""
        self._expire(now)
        if units > self.left:
            return None
        self.left -= units
        self._used += units
        self._at += units * self._each
        return max(now, self._at)

    def wish(self, now: float) -> int:
        """How many units to draw at once: what is used in a second, by what was used since the last
        draw, and not more than four times as many as then."""
        since = max(now - self._drawn, 1e-3)
        return int(min(_GROWS * self._size, BLOCK * self._used / since))

    @property
    def is_low(self) -> bool:
        """Whether it is time to draw again, so that nobody has to wait for that. A block of one or
        two is somebody's who is slow."""
        return self._size > 2 and 0 < self.left < self._size / 2

    def add(self, drawn: Drawn, now: float) -> None:
        """A draw that was made. What is left from before comes first; it is gone where the new
        units are earned so late that it would be kept for too long."""
        starts = now + drawn.starts
        if starts > now + KEEP:
            self.left = 0
        self._at = starts - self.left * drawn.each
        self.left += int(drawn.units)
        self._each, self._drawn = drawn.each, now
        self._used, self._size = 0, int(drawn.units)

    def drop(self) -> None:
        """The source has refused: what is left is not used."""
        self.left = 0

    def _expire(self, now: float) -> None:
        if not self.left or now <= self._drawn + KEEP:
            return
        if not self._each:
            self.left = 0
            return
        stale = min(self.left, math.floor((now - KEEP - self._at) / self._each))
        if stale > 0:
            self.left -= stale
            self._at += stale * self._each
