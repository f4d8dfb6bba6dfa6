"""The moments of a schedule: the next ones, and those that were missed.

Schedules are spread: each has a phase, by which it runs later than its spec says. It is made of its
id, so it stays, and ten thousand that were made in one second do not run in one second.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from zlib import crc32

import msgspec

from headrace.cadence import cron
from headrace.cadence.spec import CEILING_SECONDS, Spec

SPREAD_SECONDS = 60
"""How far the syncs of one cron are spread where nobody says otherwise."""
TOGETHER_SECONDS = 900
"""The same of a sync of every connection, by a span: nobody waits longer for the last of them."""

MOST_MISSED = 24
"""Runs that are made up for at once, of those that were missed: the newest."""

MOST_COUNTED = 1000
"""As many as that are counted of those that are left out."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Beat(msgspec.Struct, frozen=True):
    """A spec with its phase, in seconds; `every` is what is learned at this moment."""

    spec: Spec
    phase: int = 0
    every: int | None = None

    @property
    def seconds(self) -> int | None:
        """How far apart its moments are, where that is always the same; None of a cron."""
        if self.spec.cron is not None:
            return None
        return self.spec.every or self.every or self.spec.ceiling or CEILING_SECONDS

    def after(self, moment: datetime) -> datetime:
        """The first of its moments that is later than this one."""
        shift = timedelta(seconds=self.phase)
        if self.spec.cron is not None:
            return cron.after(self.spec.cron, self.spec.zone, moment - shift) + shift
        step = timedelta(seconds=self.seconds or 1)
        return _EPOCH + shift + ((moment - shift - _EPOCH) // step + 1) * step

    def next(self, due: datetime, now: datetime) -> datetime:
        """When it is due again that was due then and is run now. What is run out of turn, as the
        first time and when a pause is over, is not followed by another run at once."""
        half = timedelta(seconds=(self.seconds or 0) / 2)
        return self.after(max(now, due + half))

    def upcoming(self, due: datetime, count: int) -> list[datetime]:
        """When it is due, and due again: so many moments."""
        found = [due]
        while len(found) < count:
            found.append(self.next(found[-1], found[-1]))
        return found

    def missed(self, due: datetime, now: datetime, most: int) -> Sequence[datetime]:
        """The newest of its moments from `due` on that are over, at most so many."""
        if self.after(due) > now:
            return [due]
        back = timedelta(minutes=1)
        while now - back > due:
            found = list(self._until(now - back, now))
            if len(found) >= most:
                return found[-most:]
            back *= 2
        return [due, *self._until(due, now)][-most:]

    def left_out(self, due: datetime, newest: datetime) -> int:
        """How many moments there are from `due` on before that one; counted up to MOST_COUNTED."""
        if due >= newest:
            return 0
        between = self._until(due, newest - timedelta(microseconds=1))
        return 1 + sum(1 for _ in islice(between, MOST_COUNTED - 1))

    def _until(self, begin: datetime, end: datetime) -> Iterator[datetime]:
        """Its moments after the one, up to the other."""
        moment = self.after(begin)
        while moment <= end:
            yield moment
            moment = self.after(moment)


def phase(key: str, seconds: int) -> int:
    """A number of seconds below this many, for whoever has this id: always the same one."""
    return crc32(key.encode()) % max(seconds, 1)


def spread(spec: Spec, jitter: int | None, *, sync: bool) -> int:
    """Over how many seconds schedules of this spec are spread, where `jitter` does not say so."""
    if jitter is not None:
        return jitter
    if spec.cron is None:
        return spec.every or spec.ceiling or 1
    return SPREAD_SECONDS if sync else 0
