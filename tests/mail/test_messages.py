"""Whole mails: threads, labels, direction, and the row that the stage makes of them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from headrace.mail.direction import canonical, direction_of
from headrace.mail.message import parse
from headrace.plugins import provider
from headrace.rows import InteractionRow
from headrace.stages.normalise_mail import normalize_mail

Normalise = Callable[..., InteractionRow]

MAIL = b"""X-GM-THRID: 1785648921048123456
X-Gmail-Labels: =?UTF-8?Q?Inbox,Caf=C3=A9,"Work,_urgent",Opened?=
From: =?utf-8?q?Z=C3=B6e?= <Zoe@Example.com>
To: "Doe, Jane" <jane@example.org>, bob@example.org
To: third@example.org
Cc: Jane <JANE@example.org>, jane@example.org
Subject: =?utf-8?q?Caf=C3=A9?=
  tomorrow?
Date: Thu, 26 Nov 2026 10:00:00 +0100
Message-ID: <3@example.com>
In-Reply-To: <2@example.com>
References: <1@example.com>
 <2@example.com>
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: base64

U2VlIHlvdSB0aGVyZSE=
"""


def test_everything_a_row_can_say(normalise: Normalise) -> None:
    """Addresses, thread id, labels, direction, body. Covers A1.37, A1.38, A1.39, A1.40."""
    assert normalise(MAIL, own=("jane@example.org",)) == InteractionRow(
        source_id="id-1",
        version=3,
        source="mailbox",
        kind="email_received",
        occurred_at=datetime(2026, 11, 26, 9, tzinfo=UTC),
        direction="inbound",
        thread_id=f"{1785648921048123456:x}",
        message_id="3@example.com",
        from_name="Zöe",
        from_address="zoe@example.com",
        to_addresses=["jane@example.org", "bob@example.org", "third@example.org"],
        cc_addresses=["jane@example.org"],
        subject="Café tomorrow?",
        body="See you there!",
        labels=["Inbox", "Café", "Work, urgent", "Opened"],
        attachments=[],
        people=b"["
        b'{"role":"from","kind":"email","value":"zoe@example.com","name":"Z\xc3\xb6e"},'
        b'{"role":"to","kind":"email","value":"jane@example.org","name":"Doe, Jane"},'
        b'{"role":"to","kind":"email","value":"bob@example.org"},'
        b'{"role":"to","kind":"email","value":"third@example.org"},'
        b'{"role":"cc","kind":"email","value":"jane@example.org","name":"Jane"}'
        b"]",
        text_hash=hashlib.sha256("café tomorrow?\n\nsee you there!".encode()).digest(),
    )


def test_the_stage_is_pure(normalise: Normalise) -> None:
    """Twice the same input gives twice the same row. Covers A1.52."""
    assert normalise(MAIL) == normalise(MAIL)
    assert normalize_mail.content == "message/rfc822"
    assert normalize_mail.name == "normalize_mail"
    assert normalize_mail.writes == (InteractionRow,)


def test_the_provider_registers_itself() -> None:
    """Covers A1.49."""
    found = provider("mailbox")
    assert (found.kind, found.aliases) == ("mailbox_import", ("mbox_import",))


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ("X-GM-THRID: 255\nReferences: <a@x>\nMessage-ID: <c@x>", "ff"),
        ("References: <a@x> <b@x>\nIn-Reply-To: <b@x>\nMessage-ID: <c@x>", "a@x"),
        ("In-Reply-To: <b@x> (Jane's mail)\nMessage-ID: <c@x>", "b@x"),
        ("References:\nMessage-ID: < c@x >", "c@x"),
        ("X-GM-THRID: ²\nMessage-ID: c@x", "c@x"),
        ("X-GM-THRID: 99999999999999999999999\nMessage-ID: <c@x>", "c@x"),
        ("Subject: x", "id-1"),
    ],
)
def test_what_threads_a_mail(normalise: Normalise, headers: str, expected: str) -> None:
    """Gmail's thread as its API writes it, else the conversation's first id. Covers A1.37."""
    assert normalise(f"{headers}\n\nbody\n".encode()).thread_id == expected


ME = frozenset({"me@example.org", "first.last@gmail.com"})


@pytest.mark.parametrize(
    ("sender", "labels", "folder", "own", "expected"),
    [
        ("me@example.org", [], "a.mbox", ME, "outbound"),
        ("me+list@example.org", [], "a.mbox", ME, "outbound"),
        ("firstlast+x@googlemail.com", [], "a.mbox", ME, "outbound"),
        ("other@example.org", [], "a.mbox", ME, "inbound"),
        (None, [], "a.mbox", ME, "inbound"),
        ("alias@elsewhere.example", ["Sent", "Inbox"], "a.mbox", ME, "outbound"),
        ("alias@elsewhere.example", ["Gesendet"], "a.mbox", frozenset(), "outbound"),
        ("x@elsewhere.example", ["Inbox"], "a.mbox", frozenset(), "inbound"),
        ("x@elsewhere.example", [], "t.zip!/Takeout/Mail/Sent.mbox", frozenset(), "outbound"),
        ("x@elsewhere.example", [], ".Sent", frozenset(), "outbound"),
        ("x@elsewhere.example", [], "Maildir/.INBOX.Sent Items", frozenset(), "outbound"),
        ("x@elsewhere.example", [], "Essent.mbox", frozenset(), None),
        (None, [], "", frozenset(), None),
    ],
)
def test_direction(
    sender: str | None, labels: list[str], folder: str, own: frozenset[str], expected: str | None
) -> None:
    """The account's own addresses and aliases, labels, folders. Covers A1.39."""
    assert direction_of(sender, labels, folder, own) == expected


def test_kinds_follow_the_direction(normalise: Normalise) -> None:
    """Covers A1.39."""
    sent = normalise(b"From: me@example.org\n\nx", own=("me@example.org",))
    unknown = normalise(b"From: me@example.org\n\nx")
    assert (sent.kind, sent.direction) == ("email_sent", "outbound")
    assert (unknown.kind, unknown.direction) == ("email_received", None)


def test_dots_and_tags_of_an_address() -> None:
    assert canonical("A.B+c@Gmail.com") == "ab@gmail.com"
    assert canonical("A.B+c@example.com") == "a.b@example.com"
    assert canonical("+c@example.com") == "+c@example.com"


def test_who_sent_it_if_nobody_signed() -> None:
    assert parse(b"Sender: a@x.example\n\n").sender is not None
    assert parse(b"From: \nReply-To: b@x.example\n\n").sender is not None
    assert parse(b"From: nobody\n\n").sender is None
