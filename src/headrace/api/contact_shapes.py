"""Contacts as the API takes and shows them."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from headrace.api.job_shapes import Job
from headrace.api.problems import Strict
from headrace.api.shapes import Cursor, Limit, Time


class Listing(Strict):
    """Which contacts."""

    q: str | None = Field(
        None, max_length=200, description="Part of a name, an address, a number or a login."
    )
    limit: Limit = 50
    cursor: Cursor = None


class SuggestionListing(Strict):
    """Which suggestions."""

    limit: Limit = 50
    cursor: Cursor = None


class Threshold(Strict):
    """Another threshold."""

    threshold: float = Field(ge=0, le=1, description="From this score on two would be one.")


class Merge(Strict):
    """Contacts that are one person."""

    contacts: list[UUID] = Field(min_length=2, max_length=100)


class Split(Strict):
    """Identities of a contact that are somebody else."""

    identities: list[UUID] = Field(min_length=1, max_length=1000)


class ContactLine(BaseModel):
    """A person. Any of its identities' ids finds it."""

    contact_id: UUID
    user_id: str
    name: str | None
    email: str | None
    phone: str | None
    organisation: str | None
    identities: int
    first_seen_at: Time | None
    last_seen_at: Time | None


class Identity(BaseModel):
    """One way to reach a person."""

    identity_id: UUID
    kind: str
    value: str
    provider: str
    name: str | None
    interactions: int
    first_seen_at: Time | None
    last_seen_at: Time | None


class Link(BaseModel):
    """Who says of two identities that they are one person's (`same`), are not (`different`) or may
    be (`suggested`), and why."""

    link_id: int
    first_id: UUID
    second_id: UUID
    decision: str
    rule: str
    decided_by: str
    score: float
    evidence: dict[str, Any]
    created_at: Time


class Contact(ContactLine):
    """A person, with their identities and what joins them."""

    of: list[Identity]
    links: list[Link]


class Suggestion(BaseModel):
    """Two contacts that may be one person."""

    link_id: int
    first_contact_id: UUID
    second_contact_id: UUID
    first_id: UUID
    second_id: UUID
    rule: str
    score: float
    evidence: dict[str, Any]
    created_at: Time


class Parted(BaseModel):
    """The contact that stays, and the one that has been made."""

    contact: Contact
    parted: Contact


class WhatIf(BaseModel):
    """What another threshold would make of what rules have said so far; nothing is changed."""

    threshold: float
    contacts_now: int
    contacts_then: int
    joined: list[list[UUID]] = Field(description="Contacts that would be one; at most 100 groups.")
    parted: list[UUID] = Field(description="Contacts that would be one no more; at most 100.")


class Extracting(BaseModel):
    """The job that extracts what has not been: new, or under way already."""

    success: Literal[True] = True
    message: str
    job: Job
