"""The row types that stages write, one struct a table: plain and fast, they carry no behaviour.

`headrace.model` describes the same tables for reading; a test holds the two together.
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from headrace.stage import Row
from headrace.text import EMPTY_TSVECTOR


class EventRow(Row, kw_only=True):
    """One record of an events API, typed. `properties` is JSON text, `search` a binary
    tsvector (`headrace.text.tsvector`)."""

    table: ClassVar[str] = "events"

    occurred_at: datetime | None = None
    type: str | None = None
    name: str | None = None
    actor_id: str | None = None
    session_id: str | None = None
    properties: bytes = b"{}"
    search: bytes = EMPTY_TSVECTOR


class CalendarEventRow(Row, kw_only=True):
    """One event of a calendar. `occurred_at` is its start; ends are exclusive."""

    table: ClassVar[str] = "calendar_events"

    uid: str | None = None
    recurrence_id: str | None = None
    occurred_at: datetime | None = None
    ends_at: datetime | None = None
    all_day: bool = False
    title: str | None = None
    location: str | None = None
    description: str | None = None
    organizer: str | None = None
    attendees: list[str] = []
    status: str | None = None
    recurrence: str | None = None


class InteractionRow(Row, kw_only=True):
    """One message between people. Addresses are lower-cased; `body` is plain text."""

    table: ClassVar[str] = "interactions"

    source: str
    kind: str
    occurred_at: datetime | None = None
    direction: str | None = None
    thread_id: str | None = None
    message_id: str | None = None
    from_name: str | None = None
    from_address: str | None = None
    to_addresses: list[str] = []
    cc_addresses: list[str] = []
    subject: str | None = None
    body: str = ""
    labels: list[str] = []
    attachments: list[str] = []
