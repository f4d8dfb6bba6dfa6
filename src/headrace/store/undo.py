"""Taking back what a person has said of who is whom: one more decision, as every change is."""

from __future__ import annotations

from collections import defaultdict
from typing import Any
from uuid import UUID

from headrace.errors import NotFound
from headrace.store import contacts
from headrace.store.database import Connection
from headrace.store.sql import query


def undo(connection: Connection, link_id: int, by: str) -> tuple[UUID, bool] | None:
    """Part those whom a person has joined by this link, or join those whom it has parted. Returns
    the first one's contact, and whether they are one now; None where there is nothing to take back
    any more. Raises NotFound for a link that is not there, or that a rule has made."""
    link = connection.execute(query("dashboard", "link"), {"link_id": link_id}).fetchone()
    if link is None:
        raise NotFound("There is no such answer.", hint="Load the page again.")
    one_person = link["first_contact"] == link["second_contact"]
    if link["decision"] == "different":
        if one_person:
            return None
        made = contacts.merge(connection, [link["first_contact"], link["second_contact"]], by)
        return None if made is None else (made, True)
    row = contacts.one(connection, link["first_contact"]) if one_person else None
    if row is None:
        return None
    parted = contacts.split(connection, row["contact_id"], _beyond(row, link), by)
    return None if parted is None else (parted[0], False)


def _beyond(row: dict[str, Any], link: dict[str, Any]) -> set[UUID]:
    """Those identities of a contact that only this link joins to its first one, or the second one
    alone where others join them as well."""
    near: dict[UUID, set[UUID]] = defaultdict(set)
    for one in row["links"]:
        if one["decision"] == "same" and one["link_id"] != link["link_id"]:
            near[one["first_id"]].add(one["second_id"])
            near[one["second_id"]].add(one["first_id"])
    found, at = {link["second_id"]}, [link["second_id"]]
    while at:
        fresh = near[at.pop()] - found
        found |= fresh
        at.extend(fresh)
    return {link["second_id"]} if link["first_id"] in found else found
