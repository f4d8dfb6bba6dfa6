"""Who took part in what, who is who, and what happened when."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    JSON,
    REAL,
    BigInteger,
    Boolean,
    Identity,
    Integer,
    LargeBinary,
    Text,
    Uuid,
)

from headrace.model.base import ID, Table, col, key, time
from headrace.model.projections import Projection


class ContactIdentity(Table, table=True):
    """One way to reach somebody: an address, a telephone number, a login. Its id is made of what it
    is; `contact_id` is whose it is, NULL for whoever is no contact: a program, or the owner.
    `canonical` is the value without what its owner can add at will; `domain` what an organisation
    has registered of it; `by_hand` that no program wrote, at least once; `match_keys` are hashes of
    what another identity of the same person would have too."""

    __tablename__ = "contact_identities"
    identity_id: UUID = key(Uuid)
    kind: str = col(ID, null=False)
    value: str = col(ID, null=False)
    provider: str = col(ID, null=False)
    canonical: str = col(ID, null=False)
    name: str | None = col()
    named_at: datetime | None = time()
    domain: str | None = col(ID)
    automated: str | None = col()
    by_hand: bool = col(Boolean, null=False)
    own: bool = col(Boolean, null=False)
    contact_id: UUID | None = col(Uuid)
    match_keys: list[int] = col(ARRAY(BigInteger), null=False)
    first_seen_at: datetime | None = time()
    last_seen_at: datetime | None = time()
    batch_id: int = col(BigInteger, null=False)


class Participant(Table, table=True):
    """That an identity took part in an interaction, as what, and what it was called there;
    `automated` says why a sender is no person."""

    __tablename__ = "participants"
    stream_id: int = key(BigInteger)
    source_id: str = key()
    identity_id: UUID = key(Uuid)
    role: str = key()
    version: int = col(Integer, null=False)
    batch_id: int = col(BigInteger, null=False)
    occurred_at: datetime | None = time()
    name: str | None = col()
    automated: str | None = col()


class ContactLink(Table, table=True):
    """Somebody's word, with its reasons, that two identities are one person's, or are not, or may
    be. Rows are only ever added; the newest on a pair counts, a person's before a rule's."""

    __tablename__ = "contact_links"
    link_id: int = key(BigInteger, server_default=Identity(always=True))
    first_id: UUID = col(Uuid, null=False)
    second_id: UUID = col(Uuid, null=False)
    decision: str = col(null=False)
    rule: str = col(null=False)
    decided_by: str = col(null=False)
    score: float = col(REAL, null=False)
    evidence: Any = col(JSON, null=False)
    batch_id: int | None = col(BigInteger)
    created_at: datetime = time(null=False)


class Contact(Table, table=True):
    """A person, as the links join their identities."""

    __tablename__ = "contacts"
    contact_id: UUID = key(Uuid)
    name: str | None = col()
    email: str | None = col()
    phone: str | None = col()
    organisation: str | None = col()
    identities: int = col(Integer, null=False)
    first_seen_at: datetime | None = time()
    last_seen_at: datetime | None = time()


class TimelineEvent(Projection, table=True):
    """What happened, in a sentence. Whose it was, `participants` says."""

    __tablename__ = "timeline_events"
    occurred_at: datetime | None = time()
    kind: str = col(null=False)
    sentence: str = col(null=False)
    details: Any = col(JSON, null=False)


class Memory(Table, table=True):
    """What a memory engine has been told of a record: which version of it, and a hash of that; NULL
    for one that it has been told to forget. `remote` is what the engine calls it."""

    __tablename__ = "memories"
    stream_id: int = key(BigInteger)
    source_id: str = key()
    engine: str = key()
    version: int = col(Integer, null=False)
    told_hash: bytes | None = col(LargeBinary)
    remote: list[str] = col(ARRAY(Text), null=False)
    told_at: datetime | None = time()
