"""How long a job may take, and what follows when it takes longer, or is failed from outside."""

from __future__ import annotations

from typing import Final

from headrace.engine.needs import ended
from headrace.store import connections
from headrace.store.database import Connection
from headrace.store.jobs import JobRow

DEADLINE_HOURS: Final = 168.0
"""Where nobody says otherwise: a first walk may well take days."""

_MORE_TIME = (
    "What was landed is kept, and a retry goes on from there with its time begun anew. To allow for"
    " more, set HEADRACE_JOB_HOURS, or give a job `deadline_seconds`."
)
TOO_LATE: Final = ("The job did not end by its deadline.", _MORE_TIME)
"""What is said of such a job, and what to do."""


def fail(connection: Connection, row: JobRow, words: tuple[str, str]) -> None:
    """What follows where a job was failed: its connection says why, its waiter is told."""
    if row["connection_id"] is not None:
        connections.health(connection, row["connection_id"], "error", *words)
    ended(connection, [row])
