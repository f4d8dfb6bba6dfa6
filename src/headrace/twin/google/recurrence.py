"""When a series happens: the few RRULE forms that the twin's own events have, others are refused.

FREQ DAILY, WEEKLY (with BYDAY) or MONTHLY (the same day of each month), INTERVAL, COUNT, UNTIL,
and EXDATE. Times stay the same on the wall clock of the series' zone (RFC 5545, 3.3.10).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from headrace.twin.google.when import Moment, mark, moment
from headrace.twin.message import Refused

_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_PARTS = {"FREQ", "INTERVAL", "COUNT", "UNTIL", "BYDAY", "WKST"}
_MOST = 5_000
"""Occurrences of a series without an end."""


def occurrences(event: dict[str, Any]) -> Iterator[Moment]:
    """The starts of a series, in order. Raises Refused (400) for a rule it does not understand."""
    start = moment(event["start"])
    rule, excluded = _read(event["recurrence"])
    count = int(rule.get("COUNT", _MOST))
    until = rule.get("UNTIL", "")
    for number, when in enumerate(_series(start, rule)):
        if number >= count or (until and _past(when, until)):
            return
        if mark(when) not in excluded:
            yield when


def _read(lines: list[str]) -> tuple[dict[str, str], set[str]]:
    rule: dict[str, str] = {}
    excluded: set[str] = set()
    for line in lines:
        name, _, value = line.partition(":")
        if name == "RRULE":
            rule = dict(part.split("=", 1) for part in value.split(";"))
        elif name.startswith("EXDATE"):
            excluded |= set(value.split(","))
        else:
            raise Refused(400, f"The twin does not know {name}.")
    if set(rule) - _PARTS or rule.get("FREQ") not in ("DAILY", "WEEKLY", "MONTHLY"):
        raise Refused(400, f"The twin does not know how to repeat like {lines}.")
    return rule, excluded


def _series(start: Moment, rule: dict[str, str]) -> Iterator[Moment]:
    every = int(rule.get("INTERVAL", 1))
    if rule["FREQ"] == "DAILY":
        for number in range(_MOST):
            yield start + timedelta(days=number * every)
    elif rule["FREQ"] == "WEEKLY":
        days = [_DAYS.index(day) for day in rule["BYDAY"].split(",")] if "BYDAY" in rule else []
        monday = start - timedelta(days=start.weekday())
        for week in range(_MOST):
            for day in sorted(days) or [start.weekday()]:
                when = monday + timedelta(weeks=week * every, days=day)
                if when >= start:
                    yield when
    else:
        for number in range(_MOST):
            months = start.month - 1 + number * every
            try:
                yield start.replace(year=start.year + months // 12, month=months % 12 + 1)
            except ValueError:
                continue  # a month without this day


def _past(when: Moment, until: str) -> bool:
    if isinstance(when, datetime) and len(until) == len("20260105"):
        return when.strftime("%Y%m%d") > until
    last = mark(when) if isinstance(when, datetime) else when.strftime("%Y%m%d")
    return last > (until if isinstance(when, datetime) else until[:8])
