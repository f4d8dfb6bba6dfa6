"""Grants: what owners of accounts have consented to, and its sealed tokens."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from headrace.store import outbox
from headrace.store.database import Connection
from headrace.store.sql import query

GrantRow = dict[str, Any]
"""A grant's columns; `seconds` is how long the access token is still good, and `lifetime` how long
it was when it was new; None if unknown."""


def save(
    connection: Connection,
    *,
    tenant: str,
    user: str,
    issuer: str,
    account: str,
    scopes: Sequence[str],
    external: str | None = None,
) -> str:
    """The id of the account's grant: a new one, or the one there is, good again."""
    values = {
        "tenant": tenant,
        "grant": str(uuid.uuid4()),
        "user": user,
        "issuer": issuer,
        "account": account,
        "scopes": list(scopes),
        "external": external,
    }
    row = connection.execute(query("grants", "save"), values).fetchone()
    assert row is not None, "an upsert that changes what is there returns it"
    connection.execute(query("grants", "consented"), {"tenant": tenant, "grant": row["grant_id"]})
    return str(row["grant_id"])


def keep(
    connection: Connection,
    tenant: str,
    grant_id: str,
    tokens: bytes,
    *,
    seconds: float | None,
    scopes: Sequence[str] | None = None,
) -> None:
    """Keep sealed tokens whose access token is good for this long; None: nobody knows."""
    values = {
        "tenant": tenant,
        "grant": grant_id,
        "tokens": tokens,
        "seconds": seconds,
        "scopes": None if scopes is None else list(scopes),
    }
    connection.execute(query("grants", "keep"), values)


def get(connection: Connection, tenant: str, grant_id: str) -> GrantRow | None:
    """One grant."""
    return connection.execute(query("grants", "read"), _keys(tenant, grant_id)).fetchone()


def lock(connection: Connection, tenant: str, grant_id: str) -> GrantRow | None:
    """One grant, held until the transaction ends, as the holder before has left it."""
    return connection.execute(query("grants", "lock"), _keys(tenant, grant_id)).fetchone()


def connected(
    connection: Connection, tenant: str, user: str, issuer: str, account: str | None
) -> list[dict[str, Any]]:
    """The connections of a user's account at an issuer, `connection_id` and `provider` of each;
    without an account, those of all that the user has there."""
    values = {"tenant": tenant, "user": user, "issuer": issuer, "account": account}
    return connection.execute(query("grants", "connected"), values).fetchall()


def revoke(
    connection: Connection,
    tenant: str,
    grant_id: str,
    reason: str,
    hint: str,
    *,
    changed: datetime | None = None,
) -> None:
    """The grant is of no use any more: every connection of it needs its owner's consent. Where
    another application keeps the tokens, `changed` is when it wrote those that were tried."""
    keys = _keys(tenant, grant_id)
    connection.execute(query("grants", "revoke"), {**keys, "changed": changed})
    values = {**keys, "reason": reason, "hint": hint}
    rows = connection.execute(query("grants", "need_consent"), values).fetchall()
    outbox.needs_reauth(connection, rows)


def _keys(tenant: str, grant_id: str) -> dict[str, str]:
    return {"tenant": tenant, "grant": grant_id}
