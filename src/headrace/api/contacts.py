"""`/api/contacts`: who is who, and why; merged, parted, and suggestions answered."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import msgspec
from fastapi import APIRouter, Query

from headrace.api.auth import Visitor
from headrace.api.contact_shapes import (
    Contact,
    ContactLine,
    Extracting,
    Listing,
    Merge,
    Parted,
    Split,
    Suggestion,
    SuggestionListing,
    Threshold,
    WhatIf,
)
from headrace.api.job_shapes import Job
from headrace.api.shapes import Page
from headrace.engine import extract
from headrace.errors import NotFound
from headrace.store import contacts
from headrace.store.cursor import cut, place
from headrace.store.database import Connection
from headrace.store.visit import Visit

router = APIRouter(prefix="/contacts", tags=["contacts"])


@router.get("")
def list_contacts(visitor: Visitor, asked: Annotated[Listing, Query()]) -> Page[ContactLine]:
    """People, those last seen first. Programs and the owner are none."""
    with visitor.session() as session:
        after = place(asked.cursor, contacts.Place)
        rows = contacts.listing(session, asked.q, after, asked.limit + 1)
    shown, after_these = cut(rows, asked.limit, "last_seen_at", "contact_id")
    return Page(items=[ContactLine.model_validate(row) for row in shown], next=after_these)


@router.get("/suggestions")
def list_suggestions(
    visitor: Visitor, asked: Annotated[SuggestionListing, Query()]
) -> Page[Suggestion]:
    """Contacts that may be one person, the likeliest first."""
    with visitor.session() as session:
        after = place(asked.cursor, contacts.SuggestionPlace)
        rows = contacts.suggestions(session, after, asked.limit + 1)
    shown, after_these = cut(rows, asked.limit, "score", "link_id")
    return Page(items=[Suggestion.model_validate(row) for row in shown], next=after_these)


@router.post("/suggestions/{link_id}/accept")
def accept_suggestion(visitor: Visitor, link_id: int) -> Contact:
    """They are one person."""
    return _answered(visitor, link_id, same=True)


@router.post("/suggestions/{link_id}/dismiss")
def dismiss_suggestion(visitor: Visitor, link_id: int) -> Contact:
    """They are two people, whatever rules find later. Answers with the first."""
    return _answered(visitor, link_id, same=False)


@router.get("/what-if")
def what_if(visitor: Visitor, asked: Annotated[Threshold, Query()]) -> WhatIf:
    """What another threshold would join and part. Nothing is changed."""
    with visitor.session() as session:
        found = contacts.what_if(session, asked.threshold)
    return WhatIf.model_validate(msgspec.structs.asdict(found))


@router.post("/merge")
def merge_contacts(visitor: Visitor, wanted: Merge) -> Contact:
    """Make contacts one. A split takes it back."""
    with visitor.session() as session:
        made = contacts.merge(session, wanted.contacts, visitor.caller.user)
        if made is None:
            raise NotFound("One of these contacts is not there.", hint="GET /api/contacts.")
        return _contact(session, made)


@router.post("/extract", status_code=202)
def extract_contacts(visitor: Visitor) -> Extracting:
    """Extract the contacts of all messages whose are not yet: with HEADRACE_EXTRACT_CONTACTS set to
    manual nobody else does."""
    with visitor.session() as session:
        row = extract.submit(session, visitor.caller.tenant, visitor.caller.user)
    return Extracting(message="Job created", job=Job.model_validate(row))


@router.get("/{contact_id}")
def get_contact(visitor: Visitor, contact_id: UUID) -> Contact:
    """One person by the id of any identity: all ways to reach them, and why they are one."""
    with visitor.session() as session:
        return _contact(session, contact_id)


@router.post("/{contact_id}/split")
def split_contact(visitor: Visitor, contact_id: UUID, wanted: Split) -> Parted:
    """Part some identities from a contact. A merge takes it back."""
    with visitor.session() as session:
        made = contacts.split(session, contact_id, wanted.identities, visitor.caller.user)
        if made is None:
            raise _no_such(contact_id)
        stays, parted = (_contact(session, each) for each in made)
    return Parted(contact=stays, parted=parted)


def _answered(visitor: Visit, link_id: int, *, same: bool) -> Contact:
    with visitor.session() as session:
        found = contacts.answer(session, link_id, same=same, by=visitor.caller.user)
        if found is None:
            raise NotFound(
                f"There is no open suggestion {link_id}.",
                hint="GET /api/contacts/suggestions lists them.",
            )
        return _contact(session, found)


def _contact(session: Connection, contact_id: UUID) -> Contact:
    row = contacts.one(session, contact_id)
    if row is None:
        raise _no_such(contact_id)
    return Contact.model_validate(row)


def _no_such(contact_id: UUID) -> NotFound:
    return NotFound(f"There is no contact {contact_id}.", hint="GET /api/contacts lists them.")
