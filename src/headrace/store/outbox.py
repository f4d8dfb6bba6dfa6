"""Telling applications what has happened: written down in the transaction that makes it true.

Each endpoint that wants the event gets a row, which the engine delivers. Where there is none, it is
one statement that writes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from headrace.store.database import Connection, as_owner
from headrace.store.sql import query
from headrace.text import stored_json

JOB_SUCCEEDED = "job.succeeded"
JOB_FAILED = "job.failed"
NEEDS_REAUTH = "connection.needs_reauth"
RECORDS_CHANGED = "records.changed"
ALERT_RAISED = "alert.raised"
ALERT_OVER = "alert.over"
EVENTS = (JOB_SUCCEEDED, JOB_FAILED, NEEDS_REAUTH, RECORDS_CHANGED, ALERT_RAISED, ALERT_OVER)
"""Everything that an endpoint may want to be told of."""
TEST = "webhook.test"
"""What a test of one endpoint tells it."""


class News(NamedTuple):
    """One thing that has happened, to whose rows. What is told of one `subject` is told in order:
    `job/...`, `connection/...`, `stream/...`."""

    tenant: str
    user: str
    event: str
    subject: str
    data: dict[str, Any]


def tell(
    connection: Connection,
    *,
    tenant: str,
    user: str,
    event: str,
    subject: str,
    data: dict[str, Any],
) -> None:
    """Tell every endpoint that wants this event of this tenant, if the caller's transaction
    commits. `data` is JSON, and holds ids and counts rather than what records say."""
    tell_all(connection, [News(tenant, user, event, subject, data)])


def tell_all(connection: Connection, news: Sequence[News]) -> None:
    """Tell several things in this order, by one statement."""
    if not news:
        return
    values = {
        "tenants": [one.tenant for one in news],
        "users": [one.user for one in news],
        "events": [one.event for one in news],
        "subjects": [one.subject for one in news],
        "datas": [stored_json(one.data) for one in news],
    }
    with as_owner(connection):
        connection.execute(query("webhooks", "tell"), values)


def needs_reauth(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Tell that the owners of these connections have to consent anew."""
    told = []
    for row in rows:
        data = {name: row[name] for name in ("connection_id", "name", "provider", "user_id")}
        data |= {"reason": row["health_reason"], "hint": row["health_hint"]}
        subject = f"connection/{row['connection_id']}"
        told.append(News(row["tenant_id"], row["user_id"], NEEDS_REAUTH, subject, data))
    tell_all(connection, told)
