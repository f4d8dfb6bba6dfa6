"""What stages make of raw events: what people search and read."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, JSON, BigInteger, Boolean, Identity, Integer, LargeBinary, Text
from sqlalchemy.dialects.postgresql import TSVECTOR

from headrace.model.base import ID, HalfVector, Table, col, key, time


class Projection(Table):
    """What every projected row has: where it came from and which version of it is shown."""

    stream_id: int = key(BigInteger)
    source_id: str = key()
    version: int = col(Integer, null=False)
    batch_id: int = col(BigInteger, null=False)


class Event(Projection, table=True):
    """One record of an events API, typed."""

    __tablename__ = "events"
    occurred_at: datetime | None = time()
    type: str | None = col()
    name: str | None = col()
    actor_id: str | None = col()
    session_id: str | None = col()
    properties: Any = col(JSON, null=False)
    search: Any = col(TSVECTOR, null=False)


class Interaction(Projection, table=True):
    """One message between people. Unique per (user, source, source_id) as in A1.18: the stream
    stands for the source, because one user may have two accounts of the same kind."""

    __tablename__ = "interactions"
    source: str = col(null=False)
    kind: str = col(null=False)
    occurred_at: datetime | None = time()
    direction: str | None = col()
    thread_id: str | None = col()
    message_id: str | None = col()
    from_name: str | None = col()
    from_address: str | None = col()
    to_addresses: list[str] = col(ARRAY(Text), null=False)
    cc_addresses: list[str] = col(ARRAY(Text), null=False)
    subject: str | None = col()
    body: str = col(null=False)
    labels: list[str] = col(ARRAY(Text), null=False)
    attachments: list[str] = col(ARRAY(Text), null=False)
    people: Any = col(JSON, null=False)
    unquoted: str | None = col()
    signature: str | None = col()
    automated: str | None = col()
    meeting_url: str | None = col()
    text_hash: bytes | None = col(LargeBinary)
    search: Any = col(TSVECTOR)


class CalendarEvent(Projection, table=True):
    """One event of a calendar, or one changed occurrence of a series. Whole days begin at 00:00
    UTC; ends are exclusive; `recurrence` is kept as written and not expanded."""

    __tablename__ = "calendar_events"
    uid: str | None = col()
    recurrence_id: str | None = col()
    occurred_at: datetime | None = time()
    ends_at: datetime | None = time()
    all_day: bool = col(Boolean, null=False)
    title: str | None = col()
    location: str | None = col()
    description: str | None = col()
    organizer: str | None = col()
    attendees: list[str] = col(ARRAY(Text), null=False)
    status: str | None = col()
    recurrence: str | None = col()
    guests: Any = col(JSON, null=False)
    meeting_url: str | None = col()
    time_zone: str | None = col()
    search: Any = col(TSVECTOR)


class Document(Projection, table=True):
    """A file by its path (`source_id`). `indexed_hash` is the content that a search shows of it: it
    follows `content_hash` once all the chunks of that have their vectors."""

    __tablename__ = "documents"
    content_hash: bytes = col(LargeBinary, null=False)
    indexed_hash: bytes | None = col(LargeBinary)
    occurred_at: datetime | None = time()
    size: int = col(BigInteger, null=False)


class DocumentText(Table, table=True):
    """What was read of a content, once, under however many paths it lies. `pages` are the offsets
    in `body` where each page begins, `headings` a list of [offset, level, title]. `read_by` is the
    version of the stage that read it."""

    __tablename__ = "texts"
    stream_id: int = key(BigInteger)
    content_hash: bytes = key(LargeBinary)
    batch_id: int = col(BigInteger, null=False)
    media_type: str = col(null=False)
    title: str | None = col()
    body: str = col(null=False)
    pages: list[int] = col(ARRAY(Integer), null=False)
    headings: Any = col(JSON, null=False)
    read_by: int = col(Integer, null=False)


class Chunk(Table, table=True):
    """Characters start_at to end_at of a content's body, and their vector by a model. `kind` is of
    what: of documents, or of interactions, where `content_hash` is their `text_hash`."""

    __tablename__ = "chunks"
    stream_id: int = key(BigInteger)
    content_hash: bytes = key(LargeBinary)
    position: int = key(Integer)
    batch_id: int = col(BigInteger, null=False)
    start_at: int = col(Integer, null=False)
    end_at: int = col(Integer, null=False)
    page: int | None = col(Integer)
    headings: list[str] = col(ARRAY(Text), null=False)
    body: str = col(null=False)
    chunk_hash: bytes = col(LargeBinary, null=False)
    model: str | None = col()
    embedding: Any = col(HalfVector)
    kind: str = col(ID, null=False)
    cut_by: int = col(Integer, null=False)
    embedded_by: int = col(Integer, null=False)
    search: Any = col(TSVECTOR)


class VectorIndex(Table, table=True):
    """An index outside of PostgreSQL that a stream's vectors have been put into, with what opens
    it. It is looked up by `collection` and `model` together."""

    __tablename__ = "vector_indexes"
    stream_id: int = key(BigInteger)
    vector_db: str = key()
    url: str = key()
    collection: str = key()
    model: str = key()
    connection_id: str = col(ID, null=False)
    trusted: bool = col(Boolean, null=False)
    credential: bytes | None = col(LargeBinary)


class VectorGone(Table, table=True):
    """A chunk that is gone, and whose vector may still be in an index outside of PostgreSQL."""

    __tablename__ = "vectors_gone"
    gone_id: int = key(BigInteger, server_default=Identity(always=True))
    stream_id: int = col(BigInteger, null=False)
    content_hash: bytes = col(LargeBinary, null=False)
    position: int = col(Integer, null=False)
