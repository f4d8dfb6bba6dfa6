"""How pages say numbers and times: filters of the templates."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from markupsafe import Markup, escape

from headrace.dashboard.evidence import evidence
from headrace.dashboard.zone import zone
from headrace.out.snippet import MARK

_LONG_AGO = 60 * 86_400
"""Seconds from which on a date says more than how long ago it was."""

_KINDS = {"interactions": "messages", "calendar_events": "meetings"}
"""What tables are called on pages."""


def span(seconds: float | None) -> str:
    """A length of time in its two largest units: `4 minutes`, `1 hour 20 minutes`."""
    if seconds is None:
        return ""
    left = round(abs(seconds))
    if left < 60:
        return _many(left, "second")
    minutes, hours, days = left // 60, left // 3600, left // 86_400
    if minutes < 60:
        return _many(minutes, "minute")
    if hours < 24:
        return _many(hours, "hour") + _rest(minutes % 60, "minute")
    return _many(days, "day") + (_rest(hours % 24, "hour") if days < 7 else "")


def seconds(number: float | None) -> str:
    """A length of time that may be very short."""
    if number is None:
        return ""
    if abs(number) < 1:
        return f"{number * 1000:,.0f} ms"
    return f"{number:.1f} s" if abs(number) < 60 else span(number)


def ago(time: datetime | None, never: str = "never") -> Markup:
    """How long ago that was, or how soon it will be, in words that the page keeps true."""
    if time is None:
        return Markup('<span class="never">{}</span>').format(never)
    seconds = (datetime.now(UTC) - time).total_seconds()
    if abs(seconds) > _LONG_AGO:
        day = time.astimezone(UTC)
        return Markup('<time datetime="{}" title="{}">{}</time>').format(
            day.isoformat(timespec="seconds"), moment(time), f"{day:%d %b %Y}"
        )
    return Markup('<time datetime="{}" title="{}" data-ago>{}</time>').format(
        time.astimezone(UTC).isoformat(timespec="seconds"), moment(time), said(seconds)
    )


def said(seconds: float) -> str:
    """A distance from now in words; below zero it is yet to come."""
    if abs(seconds) < 5:
        return "just now" if seconds >= 0 else "now"
    return f"{span(seconds)} ago" if seconds > 0 else f"in {span(seconds)}"


def moment(time: datetime | None) -> str:
    """A time to the second, in UTC."""
    return "" if time is None else time.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def count(number: float | None) -> str:
    """A number with its thousands apart."""
    return "" if number is None else f"{number:,.0f}"


def size(number: float | None) -> str:
    """Bytes in the unit that fits."""
    if number is None:
        return ""
    for unit in ("B", "KB", "MB", "GB"):
        if abs(number) < 1000:
            places = 0 if unit == "B" or number >= 100 else 1
            return f"{number:.{places}f} {unit}"
        number /= 1000
    return f"{number:.1f} TB"


def percent(share: float | None) -> str:
    """A share of one as a percentage; done is only what is wholly done."""
    return "" if share is None else f"{int(share * 100)} %"


def label(word: str) -> str:
    """A name of the code as a person reads it: `needs_reauth`: needs reauth."""
    return word.replace("_", " ").lower()


def kind(table: str) -> str:
    """What there is in a table, as a person calls it."""
    return _KINDS.get(table, label(table))


def clock(time: datetime | None, name: str = "UTC") -> str:
    """A day and a time of it, in a zone."""
    return "" if time is None else f"{time.astimezone(zone(name)):%A, %d %B %Y, %H:%M}"


def found(snippet: str) -> Markup:
    """A piece of text in which what was found stands between two asterisks, marked."""
    parts = snippet.split(MARK)
    return Markup("").join(
        Markup("<mark>{}</mark>").format(part) if number % 2 else escape(part)
        for number, part in enumerate(parts)
    )


def pretty(value: Any) -> str:
    """What a source sent, as JSON in lines."""
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


def short(value: Any) -> str:
    """A value of any kind in at most a line or two."""
    text = str(value)
    return text if len(text) <= 200 else f"{text[:200]}..."


def _many(number: int, unit: str) -> str:
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"


def _rest(number: int, unit: str) -> str:
    return f" {_many(number, unit)}" if number else ""


FILTERS: dict[str, Callable[..., Any]] = {
    "span": span,
    "seconds": seconds,
    "ago": ago,
    "moment": moment,
    "count": count,
    "size": size,
    "percent": percent,
    "label": label,
    "kind": kind,
    "clock": clock,
    "evidence": evidence,
    "found": found,
    "pretty": pretty,
    "short": short,
}
