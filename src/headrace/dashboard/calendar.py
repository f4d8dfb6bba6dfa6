"""Meetings, day by day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

from headrace.dashboard.asked import day
from headrace.dashboard.page import Look, page
from headrace.dashboard.record import address
from headrace.store import listings
from headrace.store.database import Connection

DAYS = 14
ROWS = 500
"""Meetings that one page shows."""


@page("/calendar", "calendar.html")
def calendar(since: str = "") -> Look:
    """Two weeks from a day, or from today."""
    asked = day(since)

    def look(session: Connection) -> dict[str, Any]:
        today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        first = asked or today
        rows = listings.rows(
            session,
            "calendar_events",
            since=first,
            until=first + timedelta(days=DAYS),
            limit=ROWS,
        )
        rows.reverse()
        days = [
            (
                date,
                [
                    (row, address("calendar_events", row["stream_id"], row["source_id"]))
                    for row in found
                ],
            )
            for date, found in groupby(rows, lambda row: row["occurred_at"].date())
        ]
        return {
            "days": days,
            "first": first,
            "last": first + timedelta(days=DAYS - 1),
            "before": (first - timedelta(days=DAYS)).date(),
            "next": (first + timedelta(days=DAYS)).date(),
        }

    return look
