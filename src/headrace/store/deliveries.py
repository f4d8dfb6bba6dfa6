"""What endpoints are told: claimed to be sent, what came of it, and the log of both."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from psycopg.types.json import Jsonb

from headrace.http import Clock
from headrace.store.database import Connection
from headrace.store.outbox import TEST
from headrace.store.sql import query
from headrace.webhooks.sending import GONE, Outcome

DeliveryRow = dict[str, Any]

DUE = """
EXISTS (SELECT FROM headrace.webhook_deliveries WHERE state = 'pending' AND next_at <= now())
"""
"""Asked with everything else: see `engine.dispatch`."""

LEASE_SECONDS = 60.0
"""For so long a message is in the hands of whoever claimed it; then another one may send it."""
_FIRST_WAIT, _GROWTH, _LONGEST_WAIT = 5.0, 3.0, 4 * 3600.0
_LONGEST_QUIET = 15 * 60.0
"""Seconds: an endpoint that is away is asked again after that at the latest."""
_CLOSED = "The endpoint said that it is gone (410)."


def claim(
    connection: Connection, *, most: int, abreast: int, busy: Collection[str] = ()
) -> list[DeliveryRow]:
    """Take what is to be sent now, with the endpoint of each: of one subject the oldest, of one
    endpoint at most `abreast`, and of one that is away a single one. `busy` endpoints are left
    out."""
    values = {"most": most, "abreast": abreast, "busy": list(busy), "lease": LEASE_SECONDS}
    return connection.execute(query("webhooks", "claim"), values).fetchall()


def claim_one(connection: Connection, delivery_id: int) -> DeliveryRow | None:
    """Take this one, if it waits still."""
    values = {"id": delivery_id, "lease": LEASE_SECONDS}
    return connection.execute(query("webhooks", "claim_one"), values).fetchone()


def wait(attempts: int, longest: float = _LONGEST_WAIT) -> float:
    """Seconds after so many attempts: 5, 15, 45, ... up to four hours; a fifth more or less, so
    that what one outage has lined up does not come at once."""
    seconds = min(_FIRST_WAIT * _GROWTH ** min(attempts - 1, 20), longest)
    return seconds * (0.8 + 0.4 * Clock().chance())


def note(connection: Connection, row: DeliveryRow, came: Outcome, hours: float) -> None:
    """Write down what came of an attempt, unless somebody else has taken it meanwhile. It is given
    up when it has been tried for so many hours."""
    values = {
        "tenant": row["tenant_id"],
        "id": row["delivery_id"],
        "tried_at": row["tried_at"],
        "fine": came.fine,
        "away": came.away,
        "gone": came.status == GONE,
        "closed": _CLOSED,
        "hours": hours,
        "wait": max(wait(row["attempts"]), min(came.after or 0, _LONGEST_WAIT)),
        "quiet": max(wait(row["failures"] + 1, _LONGEST_QUIET), min(came.after or 0, 3600)),
        "status": came.status,
        "answer": came.answer,
        "ms": came.ms,
        "lease": LEASE_SECONDS,
    }
    noted = connection.execute(query("webhooks", "note"), values).fetchone()
    if noted is None:
        return
    if not came.fine:
        connection.execute(query("webhooks", "note_failure"), values | noted)
    elif row["failures"]:
        connection.execute(query("webhooks", "note_back"), values | noted)


def give_up(connection: Connection, hours: float) -> int:
    """Give up what has been tried for too long, or could not even be tried; how much that was."""
    values = {"hours": hours, "lease": LEASE_SECONDS}
    return connection.execute(query("webhooks", "give_up"), values).rowcount


def forget(connection: Connection, days: float) -> int:
    """Forget what is over for so many days, a thousand at a time."""
    return connection.execute(query("webhooks", "forget"), {"days": days}).rowcount


def test(connection: Connection, webhook: dict[str, Any]) -> int:
    """Tell one endpoint something that has not happened; the number of the delivery."""
    values = {
        "tenant": webhook["tenant_id"],
        "user": webhook["user_id"],
        "webhook": webhook["webhook_id"],
        "event": TEST,
        "data": Jsonb({"webhook_id": webhook["webhook_id"], "text": "It works."}),
    }
    row = connection.execute(query("webhooks", "test"), values).fetchone()
    assert row is not None, "INSERT ... RETURNING answers"
    return int(row["delivery_id"])


def redeliver(connection: Connection, webhook_id: str, delivery_id: int | None = None) -> int:
    """Send this again, or all of an endpoint that was given up, under the same ids; how many."""
    values = {"webhook": webhook_id, "id": delivery_id}
    return connection.execute(query("webhooks", "redeliver"), values).rowcount


def listing(
    connection: Connection,
    *,
    webhook_id: str | None = None,
    state: str | None = None,
    before: int | None = None,
    limit: int = 50,
) -> list[DeliveryRow]:
    """The newest deliveries this session may see, before a number if given."""
    values = {"webhook": webhook_id, "state": state, "before": before, "limit": limit}
    return connection.execute(query("webhooks", "deliveries"), values).fetchall()


def one(connection: Connection, delivery_id: int) -> DeliveryRow | None:
    """One delivery by its number."""
    return connection.execute(query("webhooks", "delivery"), {"id": delivery_id}).fetchone()


def shown(row: DeliveryRow) -> DeliveryRow:
    """A delivery as people see it: only what waits has a next time."""
    return {**row, "next_at": row["next_at"] if row["state"] == "pending" else None}
