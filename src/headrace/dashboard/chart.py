"""Charts that the server draws."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import msgspec

WIDTH, HEIGHT = 720, 120
"""The picture's own units; it is as wide as there is room."""


class Bar(msgspec.Struct):
    """One minute."""

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
