"""Telling the operator's channels of alerts, until each has taken what it is told.

An attempt is written down before it is made, and what came of it after: a process that dies between
the two has it made again, so that a channel may hear a thing twice, and never not at all. Channels
do not wait for one another.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Final

from headrace import telemetry
from headrace.crashpoints import mark
from headrace.engine.channels import Channels
from headrace.settings import Settings
from headrace.store import alert_log, outbox
from headrace.store.alert_log import DeliveryRow
from headrace.store.database import Database
from headrace.store.keys import TENANT

LEASE_SECONDS: Final = 60.0
FIRST_WAIT_SECONDS, MOST_WAIT_SECONDS = 30.0, 3600.0
"""Between attempts; each wait is twice the one before."""
GIVE_UP_SECONDS = 86_400.0
"""What nobody has taken for so long is not tried any more."""
AT_ONCE = 50
"""Messages to one channel in one go."""


def send(database: Database, settings: Settings, channels: Channels) -> int:
    """Tell every channel what is due; how many messages were taken."""
    names = channels.names
    if not names:
        return 0
    with database.connection() as connection:
        alert_log.give_up(connection, names, GIVE_UP_SECONDS)
    if len(names) == 1:
        return _send_to(database, settings, channels, names[0])
    with ThreadPoolExecutor(len(names), "headrace-alert") as pool:
        return sum(pool.map(lambda name: _send_to(database, settings, channels, name), names))


def _send_to(database: Database, settings: Settings, channels: Channels, name: str) -> int:
    for sent in range(AT_ONCE):
        with database.connection() as connection:
            row = alert_log.claim(connection, name, LEASE_SECONDS)
        if row is None:
            return sent
        mark("message-claimed")
        good = row["event"] == outbox.ALERT_OVER
        title, body = words(row, settings.headrace_public_url)
        taken, answer = channels.tell(name, title, body, good=good)
        mark("message-sent")
        wait = min(MOST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2 ** min(row["attempts"] - 1, 20))
        state = "delivered" if taken else "pending"
        if not taken and row["seconds"] + wait > GIVE_UP_SECONDS:
            state = "failed"
        with database.connection() as connection:
            alert_log.told(connection, row, state=state, answer=answer, wait=0 if taken else wait)
        telemetry.alert_told(row["incident_id"], name, taken=taken, answer=answer)
        if not taken:
            return sent  # what else waits for it would meet the same
    return AT_ONCE


def words(row: DeliveryRow, public_url: str | None) -> tuple[str, str]:
    """The title and the text of a message."""
    of = "" if row["tenant_id"] == TENANT else f" ({row['tenant_id']})"
    if row["event"] == outbox.ALERT_OVER:
        return (
            f"Headrace: over{of}: {_title(row['said'])}",
            f"{row['ended']}\n\nIt was: {row['said']}",
        )
    there = f"\n{public_url.rstrip('/')}{row['link']}" if public_url else ""
    return f"Headrace{of}: {_title(row['said'])}", f"{row['said']}\n{row['hint']}{there}"


def _title(said: str) -> str:
    first = said.split(": ")[0].rstrip(".")
    return first if len(first) <= 120 else f"{first[:117]}..."
