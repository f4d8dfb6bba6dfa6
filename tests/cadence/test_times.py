"""When schedules are due: spread, in their rhythm, and made up for."""

from __future__ import annotations

import uuid
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random

import pytest

from headrace.cadence.spec import Spec, parse
from headrace.cadence.times import MOST_COUNTED, Beat, phase, spread

NOW = datetime(2026, 5, 5, 12, 0, 0, 250_000, tzinfo=UTC)


def ids(many: int) -> list[str]:
    random = Random(4)
    return [str(uuid.UUID(int=random.getrandbits(128), version=4)) for _ in range(many)]


def beat(spec: Spec, id_: str) -> Beat:
    return Beat(spec, phase(id_, spread(spec, None, sync=True)))


@pytest.mark.parametrize("text", ["every 15m", "learned 5m to 15m"])
def test_ten_thousand_that_were_made_at_once_do_not_run_at_once(text: str) -> None:
    """Covers A0.22: in any second of the quarter of an hour a few, and in each quarter all."""
    beats = [beat(parse(text), one) for one in ids(10_000)]
    second = [one.next(NOW, NOW) for one in beats]
    histogram = Counter(one.replace(microsecond=0) for one in second)
    # 11 on average; that many of independent ones come together once in a thousand years of these.
    assert max(histogram.values()) <= 32
    assert len(histogram) > 880
    gaps = [(one - NOW).total_seconds() for one in second]
    assert 450 <= min(gaps) < max(gaps) <= 1350
    for one, due in zip(beats[:200], second, strict=False):
        assert one.next(due, due + timedelta(seconds=3)) - due == timedelta(minutes=15)


def test_the_syncs_of_one_cron_are_spread_over_a_minute() -> None:
    spec = parse("0 7 * * *", "Europe/Berlin")
    due = [beat(spec, one).after(NOW) for one in ids(10_000)]
    first = datetime(2026, 5, 6, 5, tzinfo=UTC)
    assert {(one - first).total_seconds() for one in due} == set(range(60))
    assert spread(spec, None, sync=False) == 0
    assert spread(spec, 5, sync=True) == 5


def test_a_rhythm_does_not_drift() -> None:
    """Found late each time, and it stays in its place."""
    one, due, found = beat(parse("every 15m"), "some id"), NOW, []
    for _ in range(50):
        due = one.next(due, due + timedelta(seconds=37))
        found.append(due)
    assert {b - a for a, b in pairwise(found)} == {timedelta(minutes=15)}


@pytest.mark.parametrize("text", ["every 15m", "*/15 * * * *"])
def test_what_was_missed(text: str) -> None:
    one = Beat(parse(text))
    due = datetime(2026, 5, 5, 2, tzinfo=UTC)
    assert one.missed(due, due + timedelta(seconds=3), 24) == [due]
    [newest] = one.missed(due, NOW, 1)
    assert newest == NOW.replace(microsecond=0)
    many = one.missed(due, NOW, 24)
    assert (len(many), many[-1]) == (24, newest)
    assert {b - a for a, b in pairwise(many)} == {timedelta(minutes=15)}
    assert one.left_out(due, many[0]) == 41 - 24
    assert one.missed(due, NOW, 100)[0] == due
    assert one.left_out(due, due) == 0


def test_a_year_of_minutes_is_counted_up_to_a_thousand() -> None:
    one = Beat(parse("* * * * *"))
    due = NOW - timedelta(days=365)
    assert len(one.missed(due, NOW, 24)) == 24
    assert one.left_out(due, NOW) == MOST_COUNTED


def test_the_next_three() -> None:
    one = Beat(parse("0 7 * * mon", "Europe/Berlin"))
    found = one.upcoming(one.after(NOW), 3)
    assert [f"{run:%a %d %b %H:%M}" for run in found] == [
        "Mon 11 May 05:00",
        "Mon 18 May 05:00",
        "Mon 25 May 05:00",
    ]
