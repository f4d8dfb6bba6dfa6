"""From Gmail's JSON to a row: people, direction, text, attachments."""

from __future__ import annotations

import base64
import json
from collections.abc import Awaitable, Callable
from email.message import EmailMessage
from email.policy import SMTP
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.errors import Skip
from headrace.mail.message import parse
from headrace.rows import InteractionRow
from headrace.stage import RawEvent, StreamContext
from headrace.stages.normalise_gmail import normalize_google_email
from headrace.twin.google.parts import payload

if TYPE_CHECKING:
    from tests.gmail.box import Box

Open = Callable[..., Awaitable["Box"]]
OWN = frozenset({"ada@example.com", "ada@work.example"})


def row_of(message: dict[str, Any], own: frozenset[str] = OWN) -> InteractionRow:
    """What the stage makes of a message."""
    stream = StreamContext("gmail", "mail", "", "{}", own)
    raw = RawEvent("18c", 1, None, json.dumps(message).encode())
    [row] = normalize_google_email.run(raw, stream)
    assert isinstance(row, InteractionRow)
    return row


def told(raw: bytes, *labels: str) -> dict[str, Any]:
    """A message as Gmail gives it whole."""
    parts = payload(raw, lambda part: f"attachment {part}")
    return {"id": "18c", "threadId": "18b", "labelIds": list(labels), "payload": parts}


def part(text: bytes, type_: str = "text/plain", charset: str = "") -> dict[str, Any]:
    """One part with a body."""
    value = f"{type_}; charset={charset}" if charset else type_
    data = base64.urlsafe_b64encode(text).decode().rstrip("=")
    header = {"name": "Content-Type", "value": value}
    return {"mimeType": type_, "filename": "", "headers": [header], "body": {"data": data}}


async def test_a_row_says_what_the_bytes_say(open_box: Open) -> None:
    """Covers A1.37, A1.38, A1.40: read from Gmail's JSON, every message of the twin, in each of its
    encodings, is the mail that its own bytes are."""
    box = await open_box({"leave_out": []}, messages=200)
    await box.synced()
    shown = box.of_stream(
        "source_id, thread_id, message_id, from_address, from_name, to_addresses, cc_addresses,"
        " subject, body, attachments",
        "interactions",
    )
    assert len(shown) == len(box.mail)
    for row in shown:
        one = box.mail.get(row["source_id"])
        assert one is not None
        mail = parse(one.content)
        assert row["thread_id"] == one.thread
        assert row["message_id"] == mail.message_id
        assert row["from_address"] == (mail.sender.address if mail.sender else None)
        assert row["to_addresses"] == [to.address for to in mail.to]
        assert (row["subject"], row["body"]) == (mail.subject, mail.body)
        assert row["attachments"] == mail.attachments


@pytest.mark.parametrize(
    ("sender", "labels", "direction", "kind"),
    [
        ("ada@example.com", ["INBOX"], "outbound", "email_sent"),
        ("Ada <ADA@work.example>", [], "outbound", "email_sent"),
        ("bob@b.example", ["SENT"], "outbound", "email_sent"),
        ("bob@b.example", ["INBOX"], "inbound", "email_received"),
        ("ada@example.com", ["DRAFT"], None, "email_draft"),
    ],
)
def test_who_sent_it(sender: str, labels: list[str], direction: str | None, kind: str) -> None:
    """Covers A1.39: by the account's addresses and aliases, else by the label; a draft has not been
    sent by anybody."""
    row = row_of(told(f"From: {sender}\r\n\r\nx".encode(), *labels))
    assert (row.direction, row.kind, row.source) == (direction, kind, "gmail")
    assert row.labels == labels


@pytest.mark.parametrize(
    ("content", "charset"),
    [
        ("Grüße".encode(), "iso-8859-1"),
        ("Grüße".encode("latin-1"), "iso-8859-1"),
        ("Grüße".encode(), ""),
        ("日本".encode("iso-2022-jp"), "iso-2022-jp"),
        ("日本".encode("shift_jis"), "shift_jis"),
    ],
)
def test_texts_in_utf_8_whatever_the_header_says(content: bytes, charset: str) -> None:
    """Covers A1.40: Gmail has decoded most of them, and left the header's word as it was."""
    row = row_of({"payload": part(content, charset=charset)})
    assert row.body in ("Grüße", "日本")


def test_nested_parts_and_what_is_attached() -> None:
    """Covers A1.40: the plain text of an alternative inside a mixed, names of files and mails."""
    letter = EmailMessage(policy=SMTP)
    letter["From"] = '"Okonkwo, Chidi" <chidi@lagos.example>'
    letter["Subject"] = "Prüfung"
    letter.set_content("plain")
    letter.add_alternative("<p>rich</p>", subtype="html")
    letter.add_attachment(b"x", maintype="application", subtype="pdf", filename="Übersicht.pdf")
    row = row_of(told(letter.as_bytes()))
    assert (row.subject, row.body) == ("Prüfung", "plain")
    assert row.attachments == ["Übersicht.pdf"]
    inner = {"mimeType": "text/plain", "headers": [{"name": "Subject", "value": "inside"}]}
    attached = {"mimeType": "message/rfc822", "filename": "", "parts": [inner]}
    mixed = {"mimeType": "multipart/mixed", "parts": [part(b"outside"), attached]}
    row = row_of({"payload": mixed})
    assert (row.body, row.attachments) == ("outside", ["inside.eml"])


def test_html_alone_and_a_text_that_is_too_long_to_be_there() -> None:
    """Covers A1.40: without a text in the answer the snippet is its beginning."""
    assert row_of({"payload": part(b"<p>a &amp; b</p>", "text/html")}).body == "a & b"
    distant = {"mimeType": "text/plain", "body": {"size": 9_000_000, "attachmentId": "x"}}
    assert row_of({"payload": distant, "snippet": "It&#39;s long"}).body == "It's long"


def test_a_message_without_anything() -> None:
    row = row_of({})
    assert (row.body, row.thread_id, row.labels, row.direction) == ("", "18c", [], "inbound")


def _nested(depth: int) -> dict[str, Any]:
    made: dict[str, Any] = {"mimeType": "text/plain"}
    for _ in range(depth):
        made = {"mimeType": "multipart/mixed", "parts": [made]}
    return made


@pytest.mark.parametrize(
    "message",
    [
        {"payload": _nested(60)},
        {"payload": {"mimeType": "multipart/mixed", "parts": [part(b"x")] * 1_001}},
        {"payload": {"headers": [{"name": "X", "value": "y"}] * 5_001}},
        {"payload": "text"},
    ],
    ids=["deep", "many", "headers", "no tree"],
)
def test_a_structure_without_bounds_is_skipped(message: dict[str, Any]) -> None:
    """Covers A1.54, G15: one bad message is one dead letter."""
    with pytest.raises(Skip):
        row_of(message)


def test_more_brackets_than_a_stack_holds() -> None:
    """Covers G15, R11: they do not end the process."""
    deep = b'{"payload":' + b'{"parts":[' * 100_000 + b"]}" * 100_000 + b"}"
    stream = StreamContext("gmail", "mail", "", "{}", OWN)
    with pytest.raises(Skip):
        list(normalize_google_email.run(RawEvent("1", 1, None, deep), stream))


_TEXT = st.text(max_size=30)
_TREE = st.recursive(
    st.fixed_dictionaries(
        {
            "mimeType": st.sampled_from(["text/plain", "text/html", "application/pdf", "x", ""]),
            "filename": _TEXT,
            "headers": st.lists(
                st.fixed_dictionaries(
                    {
                        "name": st.sampled_from(["From", "To", "Subject", "Date", "Content-Type"]),
                        "value": _TEXT,
                    }
                ),
                max_size=4,
            ),
            "body": st.fixed_dictionaries({"data": _TEXT}),
        }
    ),
    lambda inner: st.fixed_dictionaries(
        {
            "mimeType": st.sampled_from(["multipart/mixed", "multipart/alternative"]),
            "parts": st.lists(inner, max_size=3),
        }
    ),
    max_leaves=6,
)


@given(_TREE, st.lists(_TEXT, max_size=3), _TEXT)
def test_any_tree_becomes_a_row_that_postgresql_takes(
    tree: dict[str, Any], labels: list[str], snippet: str
) -> None:
    """Covers R12, A1.52: twice the same, and nothing in it that no table holds."""
    message = {"threadId": snippet, "labelIds": labels, "snippet": snippet, "payload": tree}
    row = row_of(message)
    assert row == row_of(message)
    for text in (row.body, row.subject or "", row.thread_id or "", *row.labels, *row.attachments):
        assert "\0" not in text
        text.encode()
