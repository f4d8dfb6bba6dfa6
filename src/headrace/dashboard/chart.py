"""Charts that the server draws."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

import msgspec

WIDTH, HEIGHT = 720, 120
"""The picture's own units; it is as wide as there is room."""


class Bar(msgspec.Struct):
    """One minute: a bar, or a dot in its place."""

    x: float
    y: float
    width: float
    height: float
    title: str


class Bars(msgspec.Struct):
    """A chart of bars, and what its largest and all of them are."""

    bars: list[Bar]
    most: int
    whole: int
    width: int = WIDTH
    height: int = HEIGHT


def bars(by_minute: Mapping[datetime, int], minutes: int) -> Bars:
    """So many of the last minutes, those that are not named without a bar."""
    last = datetime.now(UTC).replace(second=0, microsecond=0)
    most = max(by_minute.values(), default=0)
    step = WIDTH / minutes
    drawn = []
    for number in range(minutes):
        at = last - timedelta(minutes=minutes - 1 - number)
        value = by_minute.get(at, 0)
        if value:
            tall = max(2.0, HEIGHT * value / most)
            title = f"{at:%H:%M}: {value:,}"
            drawn.append(Bar(round(number * step, 1), HEIGHT - tall, step - 2, tall, title))
    return Bars(drawn, most, sum(by_minute.values()))


class Curve(msgspec.Struct):
    """One line of a chart: its points as SVG wants them, and dots that say their values."""

    name: str
    points: str
    dots: list[Bar]


class Curves(msgspec.Struct):
    """A chart of lines over the same minutes, and its largest value."""

    curves: list[Curve]
    most: float
    width: int = WIDTH
    height: int = HEIGHT


_DOT = 5


def curves(
    series: Mapping[str, Mapping[datetime, float]], minutes: int, say: Callable[[float], str]
) -> Curves:
    """So many of the last minutes; `say` puts a value into words. A minute that is not named has
    no dot: the line goes on to the next."""
    last = datetime.now(UTC).replace(second=0, microsecond=0)
    first = last - timedelta(minutes=minutes - 1)
    most = max((value for one in series.values() for value in one.values()), default=0.0)
    step = WIDTH / minutes
    drawn = []
    for name, values in series.items():
        dots = []
        for at in sorted(one for one in values if one >= first):
            x = ((at - first).total_seconds() / 60 + 0.5) * step
            y = HEIGHT - (HEIGHT - _DOT) * values[at] / (most or 1)
            title = f"{at:%H:%M}, {name}: {say(values[at])}"
            dots.append(Bar(round(x, 1), round(y, 1), _DOT, _DOT, title))
        drawn.append(Curve(name, " ".join(f"{dot.x},{dot.y}" for dot in dots), dots))
    return Curves(drawn, most)
