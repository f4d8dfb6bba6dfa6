"""The endpoints that are told of events: made, changed, listed."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from headrace.errors import BadInput, Conflict
from headrace.settings import Settings
from headrace.store.database import Connection
from headrace.store.outbox import EVENTS
from headrace.store.sql import query
from headrace.text import did_you_mean
from headrace.vault import Vault
from headrace.webhooks import secrets
from headrace.webhooks.sending import check

WebhookRow = dict[str, Any]

MOST = 100
"""Endpoints that one tenant may have."""


class Place(NamedTuple):
    """Where a page of them ended."""

    created_at: datetime
    webhook_id: str


def add(
    connection: Connection,
    vault: Vault,
    settings: Settings,
    *,
    tenant: str,
    user: str,
    key_user: str | None,
    url: str,
    events: Collection[str] = (),
    name: str | None = None,
    trusted: bool = False,
) -> tuple[WebhookRow, str]:
    """A new endpoint, told of all events if none is named, and its secret, which nobody can read
    again. Raises BadInput, Conflict, and NeedsHuman for an address that may not be called."""
    check(settings, url, trusted=trusted)
    if len(listing(connection)) >= MOST:
        raise Conflict(f"There are {MOST} webhooks already.", hint="Remove one that is not used.")
    made = secrets.new()
    webhook_id = str(uuid.uuid4())
    values = {
        "tenant": tenant,
        "user": user,
        "key_user": key_user,
        "id": webhook_id,
        "url": url,
        "name": name,
        "events": known(events) or list(EVENTS),
        "secrets": secrets.seal(vault, tenant, webhook_id, [made]),
        "trusted": trusted,
    }
    connection.execute(query("webhooks", "add"), values)
    row = one(connection, webhook_id)
    assert row is not None, "it has just been made"
    return row, made.text


def known(events: Collection[str]) -> list[str]:
    """These events, each once. Raises BadInput for one that there is not."""
    for event in events:
        if event not in EVENTS:
            raise BadInput(f"There is no event {event!r}.", hint=did_you_mean(event, EVENTS))
    return list(dict.fromkeys(events))


def change(
    connection: Connection,
    webhook_id: str,
    *,
    name: str | None,
    events: Sequence[str],
    paused: bool,
) -> None:
    """Bring an endpoint to this. One that goes on is tried at once."""
    values = {"id": webhook_id, "name": name, "events": known(events), "paused": paused}
    connection.execute(query("webhooks", "change"), values)


def rotate(connection: Connection, vault: Vault, row: WebhookRow) -> str:
    """A new secret; the one before it signs beside it for a day."""
    tenant, webhook_id = row["tenant_id"], row["webhook_id"]
    held = connection.execute(query("webhooks", "hold"), {"id": webhook_id}).fetchone()
    known_ = secrets.unseal(vault, tenant, webhook_id, (held or row)["secrets"])
    now = secrets.rotated(known_)
    sealed = secrets.seal(vault, tenant, webhook_id, now)
    connection.execute(query("webhooks", "rotate"), {"id": webhook_id, "secrets": sealed})
    return now[0].text


def remove(connection: Connection, webhook_id: str) -> None:
    """Tell it nothing any more, and forget what it was told."""
    connection.execute(query("webhooks", "remove"), {"id": webhook_id})


def listing(
    connection: Connection, *, after: Place | None = None, limit: int | None = None
) -> list[WebhookRow]:
    """Every endpoint this session may see, the oldest first, with how many messages wait for it
    (`pending`, counted to a thousand) and how many were given up (`failed`)."""
    values: dict[str, Any] = {"id": None, "limit": limit}
    values |= {"at": after and after.created_at, "after": after and after.webhook_id}
    return connection.execute(query("webhooks", "listing"), values).fetchall()


def one(connection: Connection, webhook_id: str) -> WebhookRow | None:
    """One endpoint by its id."""
    values = {"id": webhook_id, "limit": 1, "at": None, "after": None}
    return connection.execute(query("webhooks", "listing"), values).fetchone()


def shown(row: WebhookRow) -> WebhookRow:
    """An endpoint as people see it: without its secrets, sealed though they are."""
    return {name: value for name, value in row.items() if name != "secrets"}
