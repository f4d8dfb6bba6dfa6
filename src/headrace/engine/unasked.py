"""Insights that nobody has asked for, where HEADRACE_INSIGHTS says so (ruling X7): of what was
brought in, in a few minutes; and every Monday of the week before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from headrace.engine.insight import Wish, submit
from headrace.plugins import insight_kinds
from headrace.settings import Settings
from headrace.store.database import Database
from headrace.store.sql import query

LOOK_SECONDS = 10.0

PATIENCE_SECONDS = 120.0
"""How long what is wanted waits for more of it: an import of many batches makes few jobs."""


def look(database: Database, settings: Settings, patience: float = PATIENCE_SECONDS) -> int:
    """Make the jobs that are due; how many there were."""
    known = insight_kinds()
    named = settings.insight_kinds(known)
    of_news = [Wish(name) for name in named if known[name].when == "news"]
    of_week = [Wish(name) for name in named if known[name].when == "week"]
    made = _news(database, of_news, patience)
    return made + (_weekly(database, of_week, datetime.now(UTC)) if of_week else 0)


def _news(database: Database, wishes: list[Wish], patience: float) -> int:
    """What the stage wants becomes jobs, in one transaction: many workers make one of it."""
    with database.transaction() as connection:
        rows = connection.execute(
            query("insights", "take_wanted"), {"patience": patience}
        ).fetchall()
        for row in rows if wishes else []:
            submit(connection, row["tenant_id"], row["user_id"], wishes, lane="reconcile")
    return len(rows) if wishes else 0


def _weekly(database: Database, wishes: list[Wish], now: datetime) -> int:
    """Of the week that is over, once for everybody who has a connection. The key of the job makes
    it once, however many look, and also after a Monday on which nobody did."""
    monday = now.date() - timedelta(days=now.weekday())
    key = f"insights of the week before {monday}"
    with database.transaction() as connection:
        owners = connection.execute(query("insights", "owners"), {"key": key}).fetchall()
        for one in owners:
            owner = (one["tenant_id"], one["user_id"])
            submit(connection, *owner, wishes, idempotency_key=key, lane="reconcile")
    return len(owners)
