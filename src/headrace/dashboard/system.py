"""The installation: who works, what waits, what fails, how much there is of it."""

from __future__ import annotations

from typing import Any

from headrace.dashboard.chart import bars, curves
from headrace.dashboard.entry import Looking
from headrace.dashboard.page import Look, page
from headrace.dashboard.words import seconds
from headrace.engine import retention
from headrace.out import queues
from headrace.settings import Settings
from headrace.store import dead_letters, schedules
from headrace.store.database import Connection, as_owner
from headrace.store.sql import query

MINUTES = 60
JOBS = 5000
"""Of those that ended in that time, the newest that the chart is of."""


@page("/system", "system.html")
def system(visitor: Looking) -> Look:
    """Workers, queues and sizes are for the installation's own; the rest is the caller's."""

    def look(session: Connection) -> dict[str, Any]:
        minutes = session.execute(query("dashboard", "landed_by_minute"), {"minutes": MINUTES})
        landed = {row["minute"]: int(row["inserted"]) for row in minutes}
        shown = [schedules.shown(row) for row in schedules.listing(session, limit=50)]
        return {
            "landed": bars(landed, MINUTES),
            **_ended(session),
            "schedules": shown,
            "letters": dead_letters.counts(session, limit=20),
            "own": _own(session, visitor.settings) if visitor.acts_for_all else None,
        }

    return look


def _ended(session: Connection) -> dict[str, Any]:
    """Charts of the jobs that ended of late: how many, and how long they took."""
    asked = {"minutes": MINUTES, "limit": JOBS}
    rows = session.execute(query("dashboard", "ended_by_minute"), asked).fetchall()
    took = {
        "half of them": {row["minute"]: row["half"] for row in rows},
        "95 % of them": {row["minute"]: row["nearly_all"] for row in rows},
    }
    return {
        "ended": bars({row["minute"]: row["jobs"] for row in rows}, MINUTES),
        "failed": sum(row["failed"] for row in rows),
        "took": curves(took, MINUTES, seconds),
    }


def _own(session: Connection, settings: Settings) -> dict[str, Any]:
    with as_owner(session):
        size = session.execute(query("dashboard", "size")).fetchone()
        standing = retention.standing(session)
        return {
            "workers": session.execute(query("dashboard", "workers")).fetchall(),
            "queues": queues.look(session),
            "most": queues.MOST,
            "size": size["whole"] if size else 0,
            "tables": session.execute(query("dashboard", "tables")).fetchall(),
            "redis": session.execute(query("dashboard", "redis")).fetchall(),
            "retention": [
                {"policy": one, **standing.get(one.subject, _NEVER)}
                for one in retention.policies(settings)
            ],
        }


_NEVER = {"looked_at": None, "passed_at": None, "removed": 0, "removed_bytes": 0}
