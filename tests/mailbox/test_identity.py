"""A message's identity: one for all copies of the same words, different for different words."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.mailbox.record import oversize, to_record
from headrace.provider import BadRecord, Record

Writer = Callable[..., bytes]


def id_of(data: bytes) -> str:
    record = to_record(data, "here")
    assert isinstance(record, Record)
    return record.source_id


def test_line_endings_quoting_and_folding_do_not_matter(mail: Writer) -> None:
    body = "Hello\nFrom here on it is simple.\n\n"
    plain = mail(1, body)
    variants = [
        plain.replace(b"\n", b"\r\n"),
        plain.replace(b"\nFrom here", b"\n>From here"),
        plain.replace(b"Subject: Mail 1", b"Subject:\n\tMail  1"),
        plain.rstrip(b"\n"),
        plain + b"\n\n",
    ]
    assert {id_of(variant) for variant in variants} == {id_of(plain)}


@pytest.mark.parametrize(
    "header",
    ["Status: RO", "X-Mozilla-Status: 0001", "X-Gmail-Labels: Inbox,Opened", "Received: from a"],
)
def test_what_changes_while_a_message_lies_there_does_not_matter(mail: Writer, header: str) -> None:
    """A later export with other labels is a new version of the same message."""
    assert id_of(header.encode() + b"\n" + mail(1)) == id_of(mail(1))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"Body of mail 1.", b"Body of mail 1.\n-- \nlist footer"),
        (b"Subject: Mail 1", b"Subject: [list] Mail 1"),
        (b"Person 1", b"Mallory"),
        (b"10:01:00", b"10:02:00"),
    ],
)
def test_a_second_mail_with_a_stolen_message_id_is_another_message(
    mail: Writer, old: bytes, new: bytes
) -> None:
    """It must not become a later version of the first one and hide it."""
    first, second = mail(1), mail(1).replace(old, new)
    assert first != second
    assert id_of(first) != id_of(second)
    assert id_of(first).split("/")[0] == id_of(second).split("/")[0] == "1@example.com"


def test_without_a_message_id_the_words_alone_identify() -> None:
    one = id_of(b"From: a@b.example\nSubject: x\n\nbody\n")
    assert one.startswith("sha256:")
    assert one != id_of(b"From: a@b.example\nSubject: x\n\nother\n")


def test_an_endless_message_id_is_shortened(mail: Writer) -> None:
    long = id_of(mail(1).replace(b"<1@", b"<" + b"x" * 5_000 + b"@"))
    assert len(long) < 80
    assert long != id_of(mail(1).replace(b"<1@", b"<" + b"x" * 5_001 + b"@"))


@given(st.binary(max_size=300))
def test_any_bytes_are_a_record_or_a_bad_record(data: bytes) -> None:
    """R14 and R12: the id is text that PostgreSQL takes, never empty. Covers R12, R14."""
    item = to_record(data, "here")
    if isinstance(item, BadRecord):
        assert not data.strip()
        assert item.raw == data
    else:
        assert item.payload == data
        assert item.source_id
        assert "\0" not in item.source_id
        item.source_id.encode()


def test_an_oversize_message_says_where_and_what_to_do(mail: Writer) -> None:
    bad = oversize(mail(1), 70 * 1024 * 1024, "byte 12 of a.mbox")
    assert bad.raw == mail(1)
    assert bad.reason == (
        "The message at byte 12 of a.mbox is 70.0 MiB; the most that is read is 64 MiB."
    )
    assert bad.hint
    assert bad.source_id is not None
    assert bad.source_id.startswith("1@example.com/")
