"""How often to look, learned from how often there was something new (docs/decisions/0032).

News are taken to come as a Poisson process. Its rate is estimated from whether each look found any:
Cho and Garcia-Molina, "Estimating frequency of change" (2003), whose estimator for looks that are
equally far apart is what this is then. Of a rate and a span follows how old, on average over time,
what is here is: their "Synchronizing a database to improve freshness" (2000). The longest span is
chosen that leaves it no older than it is where there is always something new, at the floor.
"""

from __future__ import annotations

import math

import msgspec

KEPT = 24
"""Looks that are remembered."""
FADING = 0.85
"""What each look counts of the one after it: news of late say more than those of last month."""
RUNG = 2**0.25
"""Spans are steps of a ladder: one that changed a little each time would lose its phase."""
SLOWER = 2.0
"""At most by so much a span grows from one look to the next."""


class History(msgspec.Struct):
    """Looks, the oldest first: seconds since the one before, and whether it found something."""

    gaps: list[float] = []
    news: list[bool] = []
    looked_at: float | None = None

    def add(self, at: float, found: bool) -> None:
        """One more look. The first has none before it: it says nothing of a rate."""
        if self.looked_at is not None and at > self.looked_at:
            self.gaps = [*self.gaps, at - self.looked_at][-KEPT:]
            self.news = [*self.news, found][-KEPT:]
        self.looked_at = at


def rate(history: History) -> float:
    """News a second, by the likelihood of what was found; with half a look before them that found
    nothing, as the estimator has it: looks that always find something do not mean infinity."""
    size = len(history.gaps)
    if not any(history.news):
        return 0.0
    weights = [FADING ** (size - 1 - n) for n in range(size)]
    seen = list(zip(weights, history.gaps, history.news, strict=True))
    without = sum(w * gap for w, gap, found in seen if not found)
    without += 0.5 * FADING**size * sum(history.gaps) / size
    low, high = 0.0, 100.0 / min(history.gaps)
    for _ in range(40):
        middle = (low + high) / 2
        # Where it falls to zero is the likeliest rate; expm1 of more than 700 is infinite.
        slope = sum(w * gap / math.expm1(min(middle * gap, 700)) for w, gap, new in seen if new)
        low, high = (middle, high) if slope > without else (low, middle)
    return high


def age(rate_: float, span: float) -> float:
    """Seconds for which, on average over time, something new has been waiting: 0 while nothing is.
    Half the span where there is always something."""
    looks = rate_ * span
    if looks < 1e-4:
        return looks * span / 6
    return span * (0.5 - 1 / looks - math.expm1(-looks) / looks**2)


def choose(history: History, floor: int, ceiling: int, now: int | None = None) -> int:
    """Seconds to the next look; `now` is what they are at this moment."""
    most = float(ceiling) if now is None else min(ceiling, max(floor, now) * SLOWER)
    if not history.gaps:
        return floor
    found = rate(history)
    rungs = range(math.floor(math.log(most / floor, RUNG) + 1e-9), -1, -1)
    spans = [most, *(floor * RUNG**rung for rung in rungs)]
    fitting = (span for span in spans if age(found, span) <= floor / 2)
    return round(next(fitting, floor))


def why(history: History, floor: int, every: int | None) -> str:
    """The choice in words."""
    if not history.gaps or every is None:
        return "It has not looked often enough to know: it begins with the shortest span."
    found = rate(history)
    share = f"{sum(history.news)} of the last {len(history.news)} syncs found something new"
    if found == 0:
        return f"{share}: it is asked seldom, up to the longest span."
    waits = age(found, every)
    return (
        f"{share}: about one change in {_span(1 / found)}. Asked every {_span(every)}, what is here"
        f" is {_span(waits)} behind on average; {_span(floor / 2)} are allowed."
    )


def _span(seconds: float) -> str:
    for unit, word in ((86_400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * unit:
            return f"{seconds / unit:.0f} {word}"
    return f"{seconds:.0f} seconds"
