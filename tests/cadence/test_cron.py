"""Crons through a year of a zone: each time on the wall is run once, whatever clocks do."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from headrace.cadence import cron
from headrace.errors import BadInput

ZONES = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC"]
YEAR = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))


def runs(
    text: str, zone: str, begin: datetime = YEAR[0], end: datetime = YEAR[1]
) -> list[datetime]:
    """Every moment of a cron between these two."""
    found, moment = [], begin
    while (moment := cron.after(text, zone, moment)) <= end:
        found.append(moment)
    return found


@cache
def walls(zone: str) -> list[tuple[datetime, datetime]]:
    """Every quarter of an hour of the year, and what the wall shows then."""
    many = 4 * 24 * 365 + 8
    moments = [YEAR[0] + n * timedelta(minutes=15) for n in range(many)]
    return [(one, one.astimezone(ZoneInfo(zone)).replace(tzinfo=None)) for one in moments]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("time", ["0 2", "30 2", "15 2", "45 1", "30 1", "0 3", "59 23", "0 0"])
def test_a_daily_schedule_runs_once_a_day(zone: str, time: str) -> None:
    """Covers A3.38: also on the day whose night has that time twice, or not at all."""
    days = Counter(one.astimezone(ZoneInfo(zone)).date() for one in runs(f"{time} * * *", zone))
    assert set(days.values()) == {1}
    assert len(days) >= 364


@given(
    zone=st.sampled_from(ZONES),
    minutes=st.sets(st.integers(0, 59), min_size=1, max_size=4),
    hours=st.sets(st.integers(0, 23), min_size=1, max_size=4),
    weekdays=st.sets(st.integers(0, 6), min_size=1),
)
@effort(max_examples=10, deadline=None)
def test_each_time_on_the_wall_runs_exactly_once(
    zone: str, minutes: set[int], hours: set[int], weekdays: set[int]
) -> None:
    """Found again by going through all walls of the year: a time that a night leaves out is run
    with the others of its gap, when that is over."""
    fields = [",".join(map(str, sorted(some))) for some in (minutes, hours, weekdays)]
    text = f"{fields[0]} {fields[1]} * * {fields[2]}"
    seen: set[datetime] = set()
    wanted: set[datetime] = set()

    def matches(wall: datetime) -> bool:
        return wall.minute in minutes and wall.hour in hours and wall.isoweekday() % 7 in weekdays

    for (at, wall), (_, after) in pairwise(walls(zone)):
        for minute in sorted(one % 15 for one in minutes):
            one = wall + timedelta(minutes=minute)
            if matches(one) and one not in seen:
                seen.add(one)
                wanted.add(at + timedelta(minutes=minute))
        # What is between this quarter of an hour and the next one was left out.
        left_out = wall + timedelta(minutes=15)
        while left_out < after:
            if matches(left_out):
                wanted.add(at + timedelta(minutes=15))
            left_out += timedelta(minutes=1)
    found = runs(text, zone)
    assert len(found) == len(set(found))
    assert found == sorted(one for one in wanted if YEAR[0] < one <= YEAR[1])


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("text", ["*/15 * * * *", "0 * * * *", "*/30 0-23 * * *"])
def test_a_rhythm_goes_on_through_the_hour_that_comes_twice(zone: str, text: str) -> None:
    """Every quarter of an hour is that in every night: no hour is without, none has it twice."""
    found = runs(text, zone)
    step = {"*/15": 15, "0": 60, "*/30": 30}[text.split()[0]]
    apart = {(b - a).total_seconds() / 60 for a, b in pairwise(found)}
    # Where clocks are changed by half an hour, an hourly cron goes by the new one from then on.
    odd = {30.0, 90.0} if zone == "Australia/Lord_Howe" and step == 60 else set()
    assert apart - odd == {step}
    assert len(found) >= 365 * 24 * 60 // step - 1


def test_what_a_night_leaves_out_runs_at_its_end() -> None:
    begin = datetime(2026, 3, 28, 12, tzinfo=UTC)
    [first] = runs("30 2 * * *", "Europe/Berlin", begin, begin + timedelta(days=1))
    assert first.astimezone(ZoneInfo("Europe/Berlin")).isoformat() == "2026-03-29T03:00:00+02:00"
    begin = datetime(2026, 10, 24, 12, tzinfo=UTC)
    [first] = runs("30 2 * * *", "Europe/Berlin", begin, begin + timedelta(days=1))
    assert first.astimezone(ZoneInfo("Europe/Berlin")).isoformat() == "2026-10-25T02:30:00+02:00"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("0 0 30 2 *", "The cron '0 0 30 2 *' never comes."),
        ("0 0 31 2,4,6 *", "never comes"),
        ("61 * * * *", "is no cron that can be read"),
        ("* * * *", "is no cron that can be read"),
        ("* * * * * *", "is no cron that can be read"),
        ("R * * * *", "is no cron that can be read"),
        ("H(0-5) 1 * * *", "is no cron that can be read"),
        ("*/0 * * * *", "is no cron that can be read"),
        ("@reboot", "is no cron that can be read"),
        ("0 7 * * someday", "is no cron that can be read"),
    ],
)
def test_what_cannot_be_is_refused(text: str, says: str) -> None:
    with pytest.raises(BadInput, match=r"never comes|no cron") as refused:
        cron.check(text)
    assert says in refused.value.message
    assert refused.value.hint


@pytest.mark.parametrize(
    "text", ["0 0 29 2 *", "@daily", "0 7 * * mon", "0 0 L * *", "5,35 * * * *"]
)
def test_what_can_be_is_not(text: str) -> None:
    cron.check(text)
    assert cron.after(text, "UTC", YEAR[0]) > YEAR[0]
