"""Connections that discovery has found, beside those of the same account that a person has made.

An account is fetched once: a found connection steps aside for one made by hand, and connecting by
hand adopts the one that was found (docs/decisions/0022).
"""

from __future__ import annotations

from collections.abc import Sequence

from headrace.errors import NeedsHuman
from headrace.store.connections import ConnectionRow
from headrace.store.database import Connection
from headrace.store.sql import query

GONE = (
    "The application no longer has this account, or not the consent that this needs.",
    "It goes on by itself when its owner signs in to the application with it again.",
)
"""Why a found connection is paused, and what to do; the reason also tells which ones we paused."""

MOVED = (
    "The application's users belong to another tenant since BETTER_AUTH_TENANT was changed.",
    "Their accounts are synced there. It goes on here when the setting names this tenant again.",
)
"""The same where their tenant is another one now."""

_TWICE = "It would be fetched twice. To have this one instead, pause that one and resume this one."


def step_aside(connection: Connection, row: ConnectionRow) -> NeedsHuman | None:
    """Pause a found connection whose account somebody has connected by hand, and say so; None
    where nobody has. One that was made by hand is never paused for another."""
    values = {"connection": row["connection_id"], "hint": _TWICE}
    found = connection.execute(query("found", "step_aside"), values).fetchone()
    return None if found is None else NeedsHuman(found["reason"], hint=_TWICE)


def adopt(
    connection: Connection, *, tenant: str, user: str, provider: str, account: str, name: str
) -> None:
    """Have the connection that was found of an account be the one of that name: what it has landed
    stays. Where that name is taken, nothing happens."""
    values: dict[str, str | Sequence[str]] = {
        "tenant": tenant,
        "user": user,
        "provider": provider,
        "account": account,
        "name": name,
        "reasons": [GONE[0], MOVED[0]],
        "twice": _TWICE,
    }
    connection.execute(query("found", "adopt"), values)
