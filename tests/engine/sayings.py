"""What somebody says, as a record of every content that a stage reads: for tests of all stages."""

from __future__ import annotations

import json
from collections.abc import Callable
from email.message import EmailMessage
from email.policy import SMTP

import msgspec

from headrace.twin.google.parts import payload as gmail_parts

_AT = "2026-03-02T10:00:00Z"


class Saying(msgspec.Struct, frozen=True):
    """Who says what to whom; addresses."""

    text: str
    by: str
    to: str


def _event(one: Saying) -> bytes:
    return json.dumps({"type": one.text, "actor_id": one.by, "timestamp": _AT}).encode()


def _mail(one: Saying) -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"] = f"{one.by.partition('@')[0].title()} <{one.by}>", one.to
    mail["Date"], mail["Subject"] = "Mon, 2 Mar 2026 10:00:00 +0000", one.text[:20]
    mail.set_content(f"{one.text}\n\n-- \n{one.by}\n+49 30 1234567\n")
    return mail.as_bytes(policy=SMTP)


def _gmail(one: Saying) -> bytes:
    parts = gmail_parts(_mail(one), lambda part: f"attachment {part}")
    labels = ["INBOX", one.text[:5]]
    return json.dumps({"id": "1", "threadId": "t", "labelIds": labels, "payload": parts}).encode()


def _google_event(one: Saying) -> bytes:
    guests = [{"email": one.to, "displayName": "A Guest", "responseStatus": "accepted"}]
    times = {"start": {"dateTime": _AT}, "end": {"dateTime": "2026-03-02T11:00:00Z"}}
    more = {"organizer": {"email": one.by}, "attendees": guests, "summary": one.text, **times}
    return json.dumps({"id": "1", "status": "confirmed", **more}).encode()


def _calendar(one: Saying) -> bytes:
    lines = ["BEGIN:VEVENT", "UID:1", "DTSTART:20260302T100000Z", f"SUMMARY:{one.text}",
             f"ORGANIZER:mailto:{one.by}", f"ATTENDEE:mailto:{one.to}", "END:VEVENT"]  # fmt: skip
    return "\r\n".join(["BEGIN:VCALENDAR", *lines, "END:VCALENDAR", ""]).encode()


def _issue(one: Saying) -> bytes:
    by, to = ({"id": 1, "login": each.partition("@")[0]} for each in (one.by, one.to))
    said = {"id": 1, "number": 1, "title": one.text[:20], "body": one.text}
    return json.dumps({**said, "user": by, "assignees": [to], "labels": []}).encode()


PAYLOADS: dict[str, Callable[[Saying], bytes]] = {
    "application/json": _event,
    "application/vnd.github+json": _issue,
    "application/vnd.gmail.message+json": _gmail,
    "application/vnd.google.calendar.event+json": _google_event,
    "application/x-document": lambda one: f"# {one.text}\n\nBy {one.by}.\n".encode(),
    "message/rfc822": _mail,
    "text/calendar": _calendar,
}
"""By content. A stage for a new one needs a line here."""

STREAMS = {"application/vnd.github+json": "7/issues"}
"""What a stream has to be called, where that says what is in it."""

CONFIGS = {"application/x-document": {"input": ["notes"]}}
"""What its connection has to be configured as."""
