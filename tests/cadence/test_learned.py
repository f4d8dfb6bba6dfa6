"""A cadence that is learned from what syncs have found."""

from __future__ import annotations

import math
from random import Random
from typing import NamedTuple

import pytest

from headrace.cadence.learned import History, age, choose, rate, why

FLOOR, CEILING = 900, 3600


def history(gap: float, *news: int) -> History:
    made = History()
    made.add(0, found=True)
    for number, found in enumerate(news, 1):
        made.add(number * gap, bool(found))
    return made


@pytest.mark.parametrize(("looks", "found"), [(1, 1), (10, 3), (24, 24)])
def test_the_rate_is_the_estimator_of_cho_and_garcia_molina(
    looks: int, found: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For looks that are equally far apart and count alike, -log((n-X+0.5)/(n+0.5))."""
    monkeypatch.setattr("headrace.cadence.learned.FADING", 1.0)
    made = history(900, *([1] * found + [0] * (looks - found)))
    wanted = -math.log((looks - found + 0.5) / (looks + 0.5)) / 900
    assert rate(made) == pytest.approx(wanted, rel=1e-6)


def test_the_age_is_what_a_simulation_finds() -> None:
    random, span, per_second = Random(2), 600.0, 1 / 900
    old = 0.0
    for _ in range(10_000):
        first = random.expovariate(per_second)
        old += max(0.0, span - first) ** 2 / 2
    assert age(per_second, span) == pytest.approx(old / 10_000 / span, rel=0.04)
    assert age(1.0, span) == pytest.approx(span / 2, rel=0.01)
    assert age(1e-9, span) == pytest.approx(1e-9 * span**2 / 6)


def test_what_always_has_news_is_asked_at_the_floor() -> None:
    assert choose(history(3600, *[1] * 24), FLOOR, CEILING, 3600) < 1800
    assert choose(history(900, *[1] * 24), FLOOR, CEILING, 900) < 1.2 * FLOOR
    assert choose(History(), FLOOR, CEILING) == FLOOR


def test_what_never_has_news_is_asked_more_and_more_seldom() -> None:
    """Not at once: by twice at most, up to the ceiling."""
    every, chosen = FLOOR, []
    made = history(900, 0)
    for _ in range(3):
        every = choose(made, FLOOR, CEILING, every)
        chosen.append(every)
    assert chosen == [1800, 3600, 3600]


def test_news_bring_it_back() -> None:
    made = history(3600, *[0] * 20)
    assert choose(made, FLOOR, CEILING, 3600) == 3600
    made = history(3600, *[0] * 20, *[1] * 8)
    assert choose(made, FLOOR, CEILING, 3600) < 3100


def test_the_first_sync_says_nothing_of_a_rate() -> None:
    """It fetches all there is: news of years, not of a quarter of an hour."""
    made = History()
    made.add(100.0, found=True)
    assert made.gaps == []
    assert "begins with the shortest" in why(made, FLOOR, FLOOR)


def test_it_says_why() -> None:
    made = history(900, *[0] * 18, *[0, 0, 0, 0, 1, 0])
    every = choose(made, FLOOR, CEILING, 1800)
    said = why(made, FLOOR, every)
    assert said.startswith("1 of the last 24 syncs found something new: about one change in ")
    assert "behind on average; 8 minutes are allowed." in said
    assert "asked seldom" in why(history(900, 0, 0), FLOOR, 1800)


class Result(NamedTuple):
    """Of a simulation: calls a day for each source, seconds that what is here is behind on average
    over time, and that a record waits on average."""

    calls: float
    behind: float
    waits: float


def simulate(floor: int, ceiling: int, *, sources: int = 40, days: int = 8) -> Result:
    """Sources whose records come at rates from one a week to one a minute: five a day in the
    middle, a factor of six up or down for two thirds of them. The first three days do not count."""
    random, end, warm = Random(7), days * 86_400.0, 3 * 86_400.0
    calls, behind, waits, records = 0, 0.0, 0.0, 0
    for _ in range(sources):
        per_second = min(1 / 60, math.exp(random.gauss(math.log(5 / 86_400), 1.8)))
        made, every = History(), None
        now, coming = random.random() * floor, random.expovariate(per_second)
        while now < end:
            first = coming if coming <= now else None
            while coming <= now:
                if now > warm:
                    waits, records = waits + now - coming, records + 1
                coming += random.expovariate(per_second)
            if now > warm:
                calls += 1
                behind += (now - first) ** 2 / 2 if first is not None else 0
            made.add(now, first is not None)
            every = choose(made, floor, ceiling, every) if floor < ceiling else floor
            now += every
    span = sources * (end - warm)
    return Result(calls * 86_400 / span, behind / span, waits / records)


def test_it_saves_calls() -> None:
    """The figures of docs/how-to/schedules.md."""
    fixed = simulate(900, 900)
    assert fixed.calls == pytest.approx(96, abs=1)
    assert fixed.behind == pytest.approx(30, abs=1)
    as_fresh = simulate(120, 1800)
    assert as_fresh.calls == pytest.approx(70, abs=2)
    assert as_fresh.behind == pytest.approx(32, abs=1)
    assert as_fresh.waits < 0.7 * fixed.waits
    default = simulate(FLOOR, CEILING)
    assert default.calls == pytest.approx(25.5, abs=1)
    assert default.behind == pytest.approx(170, abs=10)
