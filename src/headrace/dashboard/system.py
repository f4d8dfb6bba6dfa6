"""The installation: who works, what waits, what fails, how much there is of it."""

from __future__ import annotations

from typing import Any

from headrace.dashboard.chart import bars
from headrace.dashboard.entry import Looking
from headrace.dashboard.page import Look, page
from headrace.out import queues
from headrace.store import dead_letters, keys, schedules
from headrace.store.database import Connection, as_owner
from headrace.store.sql import query

MINUTES = 60


@page("/system", "system.html")
def system(visitor: Looking) -> Look:
    """Workers, queues and sizes are for the installation's own; the rest is the caller's."""
    caller = visitor.caller
    all_of_it = caller.tenant == keys.TENANT and caller.key_user is None

    def look(session: Connection) -> dict[str, Any]:
        minutes = session.execute(query("dashboard", "landed_by_minute"), {"minutes": MINUTES})
        landed = {row["minute"]: int(row["inserted"]) for row in minutes}
        shown = [schedules.shown(row) for row in schedules.listing(session, limit=50)]
        return {
            "landed": bars(landed, MINUTES),
            "schedules": shown,
            "letters": dead_letters.counts(session, limit=20),
            "own": _own(session) if all_of_it else None,
        }

    return look


def _own(session: Connection) -> dict[str, Any]:
    with as_owner(session):
        size = session.execute(query("dashboard", "size")).fetchone()
        return {
            "workers": session.execute(query("dashboard", "workers")).fetchall(),
            "queues": queues.look(session),
            "most": queues.MOST,
            "size": size["whole"] if size else 0,
            "tables": session.execute(query("dashboard", "tables")).fetchall(),
        }
