"""The row types that stages write, one struct a table: plain and fast, they carry no behaviour.

`headrace.model` describes the same tables for reading; a test holds the two together. What stages
write by SQL of their own has a name here too: names say which stage comes after which.
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

import msgspec

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
    """One event of a calendar. `occurred_at` is its start; ends are exclusive. `guests` is JSON
    text: a list of {address, name, answer, optional, room}."""

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
    guests: bytes = b"[]"
    meeting_url: str | None = None
    time_zone: str | None = None


class InteractionRow(Row, kw_only=True):
    """One message between people, or a meeting of theirs. Addresses are lower-cased; `body` is
    plain text, and `unquoted` what of it is neither quoted nor the `signature`, None where that is
    all of it. `people` is JSON text: a list of `Person`. `automated` says in a word why no person
    wrote it: list, no-reply, auto-reply, bot or calendar. `text_hash` is of what is embedded of it,
    None for what is not.
    """

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
    people: bytes = b"[]"
    unquoted: str | None = None
    signature: str | None = None
    automated: str | None = None
    meeting_url: str | None = None
    text_hash: bytes | None = None


class TimelineRow(Row, kw_only=True):
    """What happened, in a sentence. `details` is JSON text."""

    table: ClassVar[str] = "timeline_events"

    occurred_at: datetime | None = None
    kind: str
    sentence: str
    details: bytes = b"{}"


class Person(msgspec.Struct, omit_defaults=True):
    """Somebody who took part, as the source told it. `kind` is what `value` is: email, phone or
    github, a login; `role` from, reply_to, to, cc, bcc, organizer, attendee, author or assignee;
    `answer`, to an invitation, accepted, declined, tentative or none. `automated` says in a word
    why it is no person: list, no-reply, bot, calendar or room. A person whose mail is automated,
    such as an invitation, is one all the same."""

    role: str
    kind: str
    value: str
    name: str | None = None
    answer: str | None = None
    automated: str | None = None


class Participants:
    """Who took part in what, in `participants`, by their `contact_identities`. The stage that
    writes them deletes them too: whose name was known by one of them is to be called anew."""


class Contacts:
    """Who is who: `contact_links` between identities, and the `contacts` they make."""


class Memories:
    """What a memory engine has been told, in `memories`."""


class Insights:
    """What is worth knowing: which kinds of it are to be made, in `insights_wanted`."""


class Texts:
    """What was read of documents, in `texts`."""


class Chunks:
    """The passages of documents, in `chunks`."""


class Vectors:
    """What passages mean, in `chunks`."""
