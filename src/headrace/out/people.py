"""Who is meant by an id, an address, a login, a telephone number or a name."""

from __future__ import annotations

from uuid import UUID

from headrace.errors import BadInput
from headrace.store.database import Connection, as_owner
from headrace.store.sql import escaped, query

MOST = 200
"""Identities that are looked at for one person."""

_LONGEST = 320  # characters of a name or an address


def identities(connection: Connection, named: str) -> list[UUID]:
    """All the ways to reach whoever is named that this session may see; [] where there is nobody.

    The id of a contact, or of any of its identities, is the whole person's; so is an address. A
    name may be several people's. `connection` is one from `Database.people`.
    """
    named = " ".join(named[:_LONGEST].split())
    if not named:
        return []
    asking = connection.execute(query("search", "scope")).fetchone()
    assert asking is not None, "a SELECT of one row answers"
    values = {**asking, "named": named, "like": f"%{escaped(named.lower())}%", "most": MOST}
    with as_owner(connection):
        for way in ("of_id",) if _is_id(named) else ("of_value", "of_name"):
            found = connection.execute(query("timeline", way), values).fetchall()
            if found:
                return [row["identity_id"] for row in found]
    return []


def known(connection: Connection, named: str) -> list[UUID]:
    """The same; raises BadInput where there is nobody."""
    found = identities(connection, named)
    if not found:
        raise BadInput(
            f"There is nobody called {named[:_LONGEST]!r}.",
            hint="A name, an address, or an id: `headrace contacts list` shows them.",
        )
    return found


def _is_id(named: str) -> bool:
    try:
        UUID(named)
    except ValueError:
        return False
    return True
