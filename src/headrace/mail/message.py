"""One mail, understood: who, to whom, when, about what, and what it says."""

from __future__ import annotations

import re
from datetime import datetime

import msgspec

from headrace.mail.addresses import Address, parse_addresses
from headrace.mail.body import attachment, attachment_names, invites, name_of, text_of
from headrace.mail.dates import parse_date
from headrace.mail.headers import Headers
from headrace.mail.labels import parse_labels
from headrace.mail.mime import Part, parse_parts
from headrace.mail.transfer import undo
from headrace.mail.words import decode_words
from headrace.provider import Attachment
from headrace.text import clean_text

_LONGEST_SUBJECT = 2_000
_LONGEST_ID = 255
_SPACES = re.compile(r"\s+")
_ANGLED = re.compile(r"<([^<>]+)>")
_BLANK_OR_CONTROL = re.compile(r"[\x00-\x20\x7f-\xa0]+")


class Mail(msgspec.Struct, kw_only=True):
    """A mail's content, clean enough for PostgreSQL (R12). `thread_id` as in `thread_of`;
    `reply_to` is who else than the sender wants the answer; `invites` as in `body.invites`;
    `label_names` are the names of labels that are ids."""

    message_id: str | None
    thread_id: str | None
    sender: Address | None
    to: list[Address]
    cc: list[Address]
    bcc: list[Address]
    reply_to: list[Address]
    subject: str | None
    date: datetime | None
    labels: list[str]
    label_names: dict[str, str] = {}
    body: str
    attachments: list[str]
    headers: Headers
    invites: bool


def parse(data: bytes) -> Mail:
    """Understand the bytes of a mail. Pure; raises Skip for one whose structure has no bounds.

    Whatever can be made out is: a mail without headers has a body, one with a broken body has
    headers.
    """
    return understand(data, parse_parts(data))


def attachment_of(data: bytes, number: int) -> Attachment | None:
    """What is attached to a mail, counted from 0 as `Mail.attachments` is. Raises Skip."""
    found = attachment(parse_parts(data), number)
    if found is None:
        return None
    content = undo(data[found.start : found.end], found.encoding)
    return Attachment(name_of(found), found.type, content)


def understand(data: bytes, part: Part) -> Mail:
    """The same of a message whose parts are known already."""
    headers = part.headers
    sender = _sender(headers)
    return Mail(
        message_id=_first_id(headers.first(b"message-id")),
        thread_id=thread_of(headers),
        sender=sender,
        to=_addresses(headers, b"to"),
        cc=_addresses(headers, b"cc"),
        bcc=_addresses(headers, b"bcc"),
        reply_to=[
            one
            for one in _addresses(headers, b"reply-to")
            if sender is None or one.address != sender.address
        ],
        subject=_subject(headers),
        date=parse_date(headers.raw(b"date")),
        labels=parse_labels(headers.all(b"x-gmail-labels")),
        body=text_of(data, part),
        attachments=attachment_names(part),
        headers=headers,
        invites=invites(part),
    )


def thread_of(headers: Headers) -> str | None:
    """What all mails of a conversation share (A1.37).

    Gmail's own thread id, written as Gmail's API writes it (hexadecimal), so that an imported mail
    joins the thread that a sync has; else the first of References, else In-Reply-To, else the
    mail's own id, because it may be what others refer to.
    """
    gmail = headers.first(b"x-gm-thrid")
    if gmail.isascii() and gmail.isdigit() and len(gmail) <= 20:
        return f"{int(gmail):x}"
    for name in (b"references", b"in-reply-to", b"message-id"):
        if (found := _first_id(headers.first(name))) is not None:
            return found
    return None


def _first_id(value: str) -> str | None:
    """The first message id in a header's value, without its brackets."""
    angled = _ANGLED.search(value)
    words = value.split(maxsplit=1)
    text = angled[1] if angled else words[0] if words else ""
    return clean_text(_BLANK_OR_CONTROL.sub("", text))[:_LONGEST_ID] or None


def _sender(headers: Headers) -> Address | None:
    for name in (b"from", b"sender", b"reply-to"):
        if found := parse_addresses(headers.first(name)):
            return found[0]
    return None


def _addresses(headers: Headers, name: bytes) -> list[Address]:
    found = [one for value in headers.all(name) for one in parse_addresses(value)]
    return list({one.address: one for one in reversed(found)}.values())[::-1]


def _subject(headers: Headers) -> str | None:
    text = _SPACES.sub(" ", decode_words(headers.first(b"subject"))).strip()
    return clean_text(text)[:_LONGEST_SUBJECT] or None
