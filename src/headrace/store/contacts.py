"""Contacts, looked at and steered by people: searched, merged, parted, suggestions answered.

`connection` is one from `Database.people`: nothing of others is found, and what is not found is
None. Every change is one more decision among the links, so that it can be taken back.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any
from uuid import UUID

import msgspec

from headrace.errors import BadInput
from headrace.people import graph
from headrace.people.groups import Decision, groups
from headrace.store.database import Connection, as_owner
from headrace.store.sql import escaped, query

Row = dict[str, Any]

_SHOWN = 100
"""Groups that are listed of what another threshold would do."""


class Place(msgspec.Struct, array_like=True):
    """Where a page of contacts ended."""

    last_seen_at: datetime | None
    contact_id: UUID


class SuggestionPlace(msgspec.Struct, array_like=True):
    """Where a page of suggestions ended."""

    score: float
    link_id: int


class WhatIf(msgspec.Struct):
    """What would become of the contacts. `joined` are those that would be one, at most 100 groups;
    `parted` those that would not be one any more."""

    threshold: float
    contacts_now: int
    contacts_then: int
    joined: list[list[UUID]]
    parted: list[UUID]


def listing(
    connection: Connection, q: str | None = None, after: Place | None = None, limit: int = 50
) -> list[Row]:
    """Contacts, those last seen first. `q` is part of a name, an address, a number or a login."""
    ids: list[UUID] | None = None
    if q is not None and q.strip():
        asking = connection.execute(query("contacts", "asking")).fetchone() or {}
        with as_owner(connection):
            found = connection.execute(
                query("contacts", "matching"), {**asking, "like": f"%{escaped(q.strip())}%"}
            ).fetchall()
        ids = [row["contact_id"] for row in found]
    values = {
        "ids": ids,
        "at": _at(after),
        "after": after.contact_id if after else None,
        "limit": limit,
    }
    return connection.execute(query("contacts", "listing"), values).fetchall()


def _at(after: Place | None) -> Any:
    if after is None:
        return None
    return after.last_seen_at or "-infinity"


def one(connection: Connection, contact_id: UUID) -> Row | None:
    """A contact by any of its identities, with those, and why they are one person's."""
    row = connection.execute(query("contacts", "one"), {"id": contact_id}).fetchone()
    if row is None:
        return None
    values = {"id": row["contact_id"]}
    row["of"] = connection.execute(query("contacts", "identities"), values).fetchall()
    ids = [each["identity_id"] for each in row["of"]]
    row["links"] = connection.execute(query("contacts", "links"), {"ids": ids}).fetchall()
    return row


def merge(connection: Connection, ids: Sequence[UUID], by: str) -> UUID | None:
    """Make contacts one. Raises BadInput where they are not several of one user."""
    rows = [one(connection, each) for each in ids]
    found = {row["contact_id"]: row for row in rows if row is not None}
    if len(rows) != len([row for row in rows if row is not None]):
        return None
    if len(found) < 2:
        raise BadInput("These are one contact already.", hint="Name two or more of them.")
    return _joined(connection, list(found.values()), "merge", by)


def _joined(connection: Connection, rows: Sequence[Row], rule: str, by: str) -> UUID:
    owners = {(row["tenant_id"], row["user_id"]) for row in rows}
    if len(owners) > 1:
        raise BadInput(
            "These contacts are different users'.", hint="Each user's contacts are their own."
        )
    [(tenant, user)] = owners
    with as_owner(connection):
        graph.alone(connection, tenant, user)
        members = _members(connection, tenant, [row["contact_id"] for row in rows])
        at = {each["identity_id"]: each["contact_id"] for each in members}
        keys = {"tenant": tenant, "user": user, "ids": list(at)}
        pairs = {graph.pair(a, b) for a, b in pairwise(sorted(set(at.values())))}
        # Whoever has said before that some of them are two has said otherwise now.
        pairs |= {
            (each.first_id, each.second_id)
            for each in graph.decisions(connection, keys)
            if each.decision == "different" and at[each.first_id] != at[each.second_id]
        }
        graph.decide(connection, tenant, user, pairs, "same", rule, by)
        return _contact_of(connection, tenant, [next(iter(at))])[0]


def split(
    connection: Connection, contact_id: UUID, apart: Collection[UUID], by: str
) -> tuple[UUID, UUID] | None:
    """Part some identities from a contact: they are somebody else. Returns the contact that stays
    and the one that they make. Raises BadInput unless they are some of its own, and not all."""
    row = one(connection, contact_id)
    if row is None:
        return None
    own = {each["identity_id"] for each in row["of"]}
    gone, rest = own & set(apart), own - set(apart)
    if not gone or not rest or gone != set(apart):
        raise BadInput(
            "These are not some of this contact's identities.",
            hint="Name one or more of them, and not all: GET /api/contacts/{id} lists them.",
        )
    tenant, user = row["tenant_id"], row["user_id"]
    with as_owner(connection):
        graph.alone(connection, tenant, user)
        pairs = [graph.pair(a, b) for a in gone for b in rest]
        graph.decide(connection, tenant, user, pairs, "different", "split", by)
        for side in (gone, rest):
            # Who was one by way of the other side stays one: nobody has said otherwise.
            parts = sorted(set(_contact_of(connection, tenant, sorted(side))))
            together = [graph.pair(a, b) for a, b in pairwise(parts)]
            if together:
                graph.decide(connection, tenant, user, together, "same", "split", by)
        stays = _contact_of(connection, tenant, [min(rest)])[0]
        return stays, _contact_of(connection, tenant, [min(gone)])[0]


def suggestions(
    connection: Connection,
    after: SuggestionPlace | None = None,
    limit: int = 50,
    link_id: int | None = None,
) -> list[Row]:
    """What rules suggest and nobody has answered, the surest first."""
    values = {
        "score": after.score if after else None,
        "after": after.link_id if after else None,
        "link_id": link_id,
        "limit": limit,
    }
    return connection.execute(query("contacts", "suggestions"), values).fetchall()


def answer(connection: Connection, link_id: int, *, same: bool, by: str) -> UUID | None:
    """Accept a suggestion, or dismiss it: then they are two, whatever rules find later. Returns the
    contact of the first of the two; None where there is no such open suggestion."""
    found = suggestions(connection, link_id=link_id, limit=1)
    if not found:
        return None
    rows = [one(connection, found[0][key]) for key in ("first_id", "second_id")]
    first, second = rows
    if first is None or second is None:
        return None
    if same:
        return _joined(connection, [first, second], "accept", by)
    pair = graph.pair(found[0]["first_id"], found[0]["second_id"])
    tenant, user = first["tenant_id"], first["user_id"]
    with as_owner(connection):
        graph.alone(connection, tenant, user)
        graph.decide(connection, tenant, user, [pair], "different", "dismiss", by)
    contact_id: UUID = first["contact_id"]
    return contact_id


def what_if(connection: Connection, threshold: float) -> WhatIf:
    """What another threshold would make of all that rules have said so far. Changes nothing."""
    now = {
        row["identity_id"]: row["contact_id"]
        for row in connection.execute(query("contacts", "everybody")).fetchall()
    }
    links = [
        Decision(**row) for row in connection.execute(query("contacts", "all_links")).fetchall()
    ]
    then = groups(now, [each if each.by_person else _at_least(each, threshold) for each in links])
    joined: dict[UUID, set[UUID]] = {}
    parted: dict[UUID, set[UUID]] = {}
    for identity, contact in now.items():
        joined.setdefault(then[identity], set()).add(contact)
        parted.setdefault(contact, set()).add(then[identity])
    return WhatIf(
        threshold=threshold,
        contacts_now=len(parted),
        contacts_then=len(joined),
        joined=[sorted(each) for each in joined.values() if len(each) > 1][:_SHOWN],
        parted=[contact for contact, each in parted.items() if len(each) > 1][:_SHOWN],
    )


def _at_least(link: Decision, threshold: float) -> Decision:
    # Scores are kept in single precision: 0.95 is a little less there.
    sure = round(link.score, 3) >= threshold
    return msgspec.structs.replace(link, decision="same" if sure else "suggested")


def _members(connection: Connection, tenant: str, ids: Sequence[UUID]) -> list[Row]:
    values = {"tenant": tenant, "ids": list(ids)}
    return connection.execute(query("contacts", "members"), values).fetchall()


def _contact_of(connection: Connection, tenant: str, ids: Sequence[UUID]) -> list[UUID]:
    found = connection.execute(
        query("contacts", "contact_of"), {"tenant": tenant, "ids": list(ids)}
    ).fetchall()
    return [row["contact_id"] for row in found]
