"""Meetings, day by day, in the time zone of whoever looks."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from typing import Any

from fastapi import Request

from headrace.dashboard.asked import day
from headrace.dashboard.page import Look, page
from headrace.dashboard.record import address
from headrace.dashboard.zone import zone, zone_of
from headrace.store import listings
from headrace.store.database import Connection
from headrace.store.sql import query

DAYS = 14
ROWS = 500
"""Meetings that one page shows."""

_DAY = timedelta(days=1)


@page("/calendar", "calendar.html")
def calendar(request: Request, since: str = "") -> Look:
    """Two weeks from a day, or from today."""
    asked, here = day(since), zone_of(request)
    at = zone(here)

    def local(row: dict[str, Any]) -> date:
        # A whole day is that day wherever one is; it begins at 00:00 UTC.
        when: datetime = row["occurred_at"]
        return when.date() if row["all_day"] else when.astimezone(at).date()

    def look(session: Connection) -> dict[str, Any]:
        first = asked.date() if asked else datetime.now(at).date()
        last = first + timedelta(days=DAYS - 1)
        begins = datetime.combine(first, time(), UTC)
        rows = listings.rows(
            session,
            "calendar_events",
            since=begins - _DAY,
            until=begins + timedelta(days=DAYS + 1),
            limit=ROWS,
        )
        rows = sorted(
            (row for row in rows if first <= local(row) <= last),
            key=lambda row: (local(row), not row["all_day"], row["occurred_at"]),
        )
        near = {"first": begins, "last": begins + timedelta(days=DAYS)}
        around = session.execute(query("dashboard", "nearest_meetings"), near).fetchone() or {}
        return {
            "days": [(on, [_told(row, at) for row in found]) for on, found in groupby(rows, local)],
            "first": first,
            "last": last,
            "zone": here,
            "since": since,
            "today": datetime.now(at).date(),
            "before": first - timedelta(days=DAYS),
            "next": first + timedelta(days=DAYS),
            "around": {name: when and when.date() for name, when in around.items()},
        }

    return look


def _told(row: dict[str, Any], at: Any) -> tuple[dict[str, Any], str, str]:
    """A meeting, its page, and its time in words."""
    there = address("calendar_events", row["stream_id"], row["source_id"])
    begins, ends = row["occurred_at"], row["ends_at"]
    if row["all_day"]:
        last = ends.date() - _DAY if ends else begins.date()
        return row, there, f"until {last:%d %b}" if last > begins.date() else "all day"
    begins, ends = begins.astimezone(at), ends.astimezone(at) if ends else None
    words = f"{begins:%H:%M}"
    if ends and ends != begins:
        words += f" to {ends:%H:%M}" if ends.date() == begins.date() else f" to {ends:%d %b %H:%M}"
    return row, there, words
