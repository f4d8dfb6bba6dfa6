"""Alerts: every so often one process holds what the rules find against what is open.

What is new is raised and what is found no more is over, in the transaction that has it told: it
happens once however many processes there are, and whoever dies in the middle has done nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from headrace import telemetry
from headrace.crashpoints import mark
from headrace.engine import messages
from headrace.engine.channels import Channels
from headrace.engine.regularly import Regularly
from headrace.engine.rule import wanted
from headrace.settings import Settings
from headrace.store import alert_log, incidents, outbox
from headrace.store.database import Connection, Database
from headrace.store.incidents import Found, IncidentRow

_SHARE = 0.8
"""A look is left out when somebody has looked this share of the time between two ago."""

_MANNERS = "SET LOCAL statement_timeout = '10s'"


def chore(database: Database, settings: Settings, channels: Channels) -> Regularly:
    """Look, and tell what is to be told, every so often."""

    def work() -> None:
        look(database, settings, channels)
        messages.send(database, settings, channels)

    return Regularly("alerts", settings.headrace_alert_look_seconds, work)


@contextmanager
def watching(database: Database, settings: Settings) -> Iterator[None]:
    """The same in a process without workers, while the context lasts: that no worker is alive, none
    can say. Raises BadInput for channels that cannot be used."""
    duty = chore(database, settings, Channels(settings))
    duty.start()
    try:
        yield
    finally:
        duty.stop()


def look(database: Database, settings: Settings, channels: Channels) -> tuple[int, int]:
    """Look at every rule, unless somebody has just now. How many incidents are new, and over."""
    with database.transaction() as connection:
        if not incidents.mine(connection, settings.headrace_alert_look_seconds * _SHARE):
            return 0, 0
        connection.execute(_MANNERS)
        looked, off = _found(connection, settings)
        raised, over = incidents.settle(connection, looked, off)
        news = [(outbox.ALERT_RAISED, row) for row in raised]
        news += [(outbox.ALERT_OVER, row) for row in over]
        mark("in-alarm")
        outbox.tell_all(connection, [_news(event, row) for event, row in news])
        alert_log.address(connection, news, channels.names)
        if days := settings.headrace_keep_job_days:
            incidents.tidy(connection, days)
    mark("alarmed")
    for row in raised:
        telemetry.alert_raised(row["incident_id"], row["rule"], row["subject"])
    for row in over:
        telemetry.alert_over(row["incident_id"], row["rule"], row["subject"])
    return len(raised), len(over)


def _found(connection: Connection, settings: Settings) -> tuple[dict[str, list[Found]], list[str]]:
    """What each rule finds, and which are off. A rule that fails leaves its incidents as they
    are."""
    looked: dict[str, list[Found]] = {}
    off = []
    for rule, on in wanted(settings):
        if not on:
            off.append(rule.name)
            looked[rule.name] = []
            continue
        try:
            with connection.transaction():
                found = rule.find(connection, settings)
        except psycopg.OperationalError as error:
            if connection.closed:
                raise
            telemetry.bug(f"alert rule {rule.name}", error)
        except Exception as error:  # noqa: BLE001 - the other rules are looked at all the same
            telemetry.bug(f"alert rule {rule.name}", error)
        else:
            looked[rule.name] = list(found)
    return looked, off


def _news(event: str, row: IncidentRow) -> outbox.News:
    subject = f"alert/{row['incident_id']}"
    return outbox.News(row["tenant_id"], row["user_id"], event, subject, plain(row))


def plain(row: IncidentRow) -> dict[str, object]:
    """An incident as applications are told of it."""
    over = row["over_at"]
    return {
        **{one: row[one] for one in ("incident_id", "rule", "subject", "said", "hint", "link")},
        "raised_at": row["raised_at"].isoformat(),
        "over_at": over.isoformat() if over else None,
        "ended": row["ended"],
    }
