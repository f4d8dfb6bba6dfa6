"""API keys: made, accepted, revoked. All of it as the owner of the tables, never as people."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import Any

import msgspec

from headrace.errors import BadInput
from headrace.store.database import Connection
from headrace.store.sql import query

MARK = "hr_"
"""What keys made here begin with, so that a scanner for leaked secrets can tell them."""
TENANT, USER = "default", "me"
"""Whose the first key is: one person, or one service, that owns everything."""
SHORTEST = 16
"""Characters of a key that an operator chooses; fewer could be guessed."""

_LONGEST = 512
_MADE = 46  # characters of a key made here: its mark, and 32 bytes in base64
_SHOWN = 10  # characters of a key that are kept to tell it from others by


class Caller(msgspec.Struct, frozen=True):
    """Who a key speaks for: rows made with it are `user`'s; with `key_user` it sees only theirs,
    without it all of the tenant's."""

    tenant: str
    user: str
    key_user: str | None


def issue(
    connection: Connection, tenant: str, user: str, name: str, key_user: str | None = None
) -> str:
    """Make a key and return it; nobody can read it again. `key_user` narrows it to their rows."""
    key = MARK + secrets.token_urlsafe(32)
    _add(connection, key, tenant, user, name, key_user)
    return key


def accept(connection: Connection, key: str) -> Caller | None:
    """Who this key speaks for; None when it is not one of ours, or no longer."""
    if not 0 < len(key) <= _LONGEST:
        return None
    found = hashed(key)
    row = connection.execute(query("keys", "find"), {"hash": found}).fetchone()
    # The index compares hashes, from whose timing nothing can be learnt about a key; the
    # comparison that decides takes the same time whatever it is given.
    if row is None or not hmac.compare_digest(row["key_hash"], found):
        return None
    if row["stale"]:
        connection.execute(query("keys", "used"), {"tenant": row["tenant_id"], "hash": found})
    return Caller(row["tenant_id"], row["key_user_id"] or row["user_id"], row["key_user_id"])


def ensure_first(connection: Connection, chosen: str | None) -> str | None:
    """Make sure somebody can call the API. Call it in a transaction.

    A key chosen by the operator is stored if it is not known yet. Without one, and with no key
    there that is not revoked, one is made and returned: the only time that it can be shown.
    Raises BadInput for a chosen key that is too short.
    """
    if chosen is not None:
        if not SHORTEST <= len(chosen) <= _LONGEST or chosen != chosen.strip():
            raise BadInput(
                f"HEADRACE_API_KEY must have {SHORTEST} to {_LONGEST} characters, without space"
                " around them.",
                hint="A good one: python -c 'import secrets; print(secrets.token_urlsafe(32))'",
            )
        _add(connection, chosen, TENANT, USER, "HEADRACE_API_KEY", None)
        return None
    connection.execute(query("keys", "one_at_a_time"))
    if connection.execute(query("keys", "any"), {"tenant": TENANT}).fetchone() is not None:
        return None
    return issue(connection, TENANT, USER, "first key")


def listing(connection: Connection, tenant: str) -> list[dict[str, Any]]:
    """A tenant's keys by their beginnings, oldest first; of the keys themselves nothing is kept."""
    return connection.execute(query("keys", "listing"), {"tenant": tenant}).fetchall()


def revoke(connection: Connection, tenant: str, prefix: str) -> bool:
    """Let a key open nothing from now on. Returns whether there was one beginning like this."""
    values = {"tenant": tenant, "prefix": prefix}
    return connection.execute(query("keys", "revoke"), values).rowcount > 0


def _add(
    connection: Connection, key: str, tenant: str, user: str, name: str, key_user: str | None
) -> None:
    connection.execute(
        query("keys", "add"),
        {
            "tenant": tenant,
            "user": user,
            "key_user": key_user,
            "hash": hashed(key),
            "name": name,
            # Of a chosen key, which may be short, no more than a hint of its beginning.
            "prefix": key[: _SHOWN if key.startswith(MARK) and len(key) >= _MADE else 4],
        },
    )


def hashed(key: str) -> bytes:
    """What is kept of a key."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
