"""People: who there is, who may be one, and what joins them."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import Response

from headrace.dashboard.entry import Acting
from headrace.dashboard.page import Look, page
from headrace.dashboard.paging import with_asked
from headrace.dashboard.said import back
from headrace.errors import NotFound
from headrace.store import contacts as store
from headrace.store.cursor import cut, place
from headrace.store.database import Connection
from headrace.store.sql import query
from headrace.store.undo import undo

router = APIRouter(include_in_schema=False)

ROWS, SUGGESTED, ANSWERED = 50, 10, 10


@page("/contacts", "people.html")
def people(
    request: Request,
    q: Annotated[str, Query(max_length=200)] = "",
    after: Annotated[str | None, Query(max_length=8192)] = None,
) -> Look:
    """Those last seen first; before them, who may be one person."""
    began = place(after, store.Place)

    def look(session: Connection) -> dict[str, Any]:
        rows = store.listing(session, q.strip() or None, began, ROWS + 1)
        shown, further = cut(rows, ROWS, "last_seen_at", "contact_id")
        open_ = [] if q or after else store.suggestions(session, None, SUGGESTED)
        return {
            "people": shown,
            "suggestions": [
                (
                    one,
                    store.one(session, one["first_contact_id"]),
                    store.one(session, one["second_contact_id"]),
                )
                for one in open_
            ],
            "answered": [] if q or after else _answered(session),
            "q": q,
            "older": further and with_asked(request, after=further),
            "newest": with_asked(request, after=None) if after else None,
        }

    return look


@page("/contacts/{contact_id}", "person.html")
def person(contact_id: UUID) -> Look:
    """One of them, by the id of any identity."""

    def look(session: Connection) -> dict[str, Any]:
        return {"person": existing(session, contact_id)}

    return look


@router.post("/contacts/merge")
def merge(visitor: Acting, contact: Annotated[list[UUID], Form(max_length=100)]) -> Response:
    """Make those that are ticked one person."""
    if len(contact) < 2:
        return back("/contacts", "Tick two or more people first.", good=False)
    with visitor.session() as session:
        made = store.merge(session, contact, visitor.caller.user)
    if made is None:
        raise NotFound("One of these people is not there.", hint="Load the page again.")
    return back(f"/contacts/{made}", "They are one person now. Undo, below, takes it back.")


@router.post("/contacts/suggestions/{link_id}")
def answer(visitor: Acting, link_id: int, same: Annotated[bool, Form()]) -> Response:
    """They are one person, or they are two."""
    with visitor.session() as session:
        found = store.answer(session, link_id, same=same, by=visitor.caller.user)
    if found is None:
        raise NotFound("There is no such open question.", hint="It may have been answered already.")
    said = "They are one person now." if same else "They stay two people."
    return back("/contacts", f"{said} Undo is under Answered of late.")


@router.post("/contacts/links/{link_id}/undo")
def take_back(visitor: Acting, link_id: int) -> Response:
    """What a person has said of two, taken back."""
    with visitor.session() as session:
        done = undo(session, link_id, visitor.caller.user)
    if done is None:
        return back("/contacts", "That has been taken back already.", good=False)
    contact_id, one_person = done
    said = "They are one person again." if one_person else "They are two people again."
    return back(f"/contacts/{contact_id}", said)


@router.post("/contacts/{contact_id}/split")
def split(
    visitor: Acting,
    contact_id: UUID,
    identity: Annotated[list[UUID], Form(max_length=1000)] = [],  # noqa: B006 - FastAPI copies it
) -> Response:
    """Those that are ticked are somebody else."""
    here = f"/contacts/{contact_id}"
    if not identity:
        return back(here, "Tick the identities that are somebody else's.", good=False)
    with visitor.session() as session:
        existing(session, contact_id)
        made = store.split(session, contact_id, identity, visitor.caller.user)
    if made is None:
        raise NotFound("There is no such person.", hint="Load the page again.")
    _, parted = made
    return back(f"/contacts/{parted}", "They are two people now. A merge takes it back.")


def _answered(session: Connection) -> list[dict[str, Any]]:
    return session.execute(query("dashboard", "answered"), {"limit": ANSWERED}).fetchall()


def existing(session: Connection, contact_id: UUID) -> dict[str, Any]:
    """A person that the caller may see. Raises NotFound."""
    row = store.one(session, contact_id)
    if row is None:
        raise NotFound(f"There is no person {contact_id}.", hint="The list has those there are.")
    return row
