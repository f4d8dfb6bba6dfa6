"""Sessions of the dashboard: opened with a key, or by a link that is good once. As the owner of
the tables, never as people."""

from __future__ import annotations

import hashlib
import secrets

from headrace.store import keys
from headrace.store.database import Connection
from headrace.store.keys import Caller
from headrace.store.sql import query

IDLE_SECONDS = 7 * 86_400.0
"""A session that is not used for so long is over."""
OLDEST_SECONDS = 30 * 86_400.0
"""One that is used all the time is over after so long."""
LINK_SECONDS = 600.0
"""How long a link can be opened."""

_LONGEST = 100


def open_with(connection: Connection, key: str) -> str | None:
    """Open a session with an API key and return its token; None where the key opens nothing."""
    caller = keys.accept(connection, key)
    if caller is None:
        return None
    return _open(connection, caller, IDLE_SECONDS, key=keys.hashed(key))


def link(connection: Connection, caller: Caller) -> str:
    """The token of a link that lets one browser in as this caller, once, for a few minutes."""
    return _open(connection, caller, LINK_SECONDS, once=True)


def offered(connection: Connection, token: str) -> bool:
    """Whether a link can still be opened."""
    found = connection.execute(query("sessions", "offered"), {"token": _hash(token)})
    return found.fetchone() is not None


def redeem(connection: Connection, token: str) -> str | None:
    """Open the session of a link and return its token; None for a link that is used or too old."""
    row = connection.execute(query("sessions", "redeem"), {"token": _hash(token)}).fetchone()
    if row is None:
        return None
    caller = Caller(row["tenant_id"], row["user_id"], row["key_user_id"])
    return _open(connection, caller, IDLE_SECONDS)


def accept(connection: Connection, token: str) -> Caller | None:
    """For whom a session was opened; None where it is over, or its key has been revoked."""
    values = {"token": _hash(token), "seconds": IDLE_SECONDS, "oldest": OLDEST_SECONDS}
    row = connection.execute(query("sessions", "find"), values).fetchone()
    if row is None:
        return None
    if row["stale"]:
        connection.execute(query("sessions", "used"), values)
    return Caller(row["tenant_id"], row["user_id"], row["key_user_id"])


def close(connection: Connection, token: str) -> None:
    """End a session."""
    connection.execute(query("sessions", "close"), {"token": _hash(token)})


def _open(
    connection: Connection,
    caller: Caller,
    seconds: float,
    *,
    key: bytes | None = None,
    once: bool = False,
) -> str:
    connection.execute(query("sessions", "tidy"))
    token = secrets.token_urlsafe(32)
    values = {
        "tenant": caller.tenant,
        "user": caller.user,
        "key_user": caller.key_user,
        "token": _hash(token),
        "key": key,
        "once": once,
        "seconds": seconds,
    }
    connection.execute(query("sessions", "open"), values)
    return token


def _hash(token: str) -> bytes:
    return hashlib.sha256(token[:_LONGEST].encode("utf-8", "surrogatepass")).digest()
