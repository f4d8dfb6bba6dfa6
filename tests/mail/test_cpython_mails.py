"""The malformed mails that CPython tests its own parser with, where it is installed."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from email import policy
from email.parser import BytesParser
from pathlib import Path

import pytest

from headrace.mail.message import parse
from headrace.rows import InteractionRow

_FOUND = importlib.util.find_spec("test.test_email")
_MAILS = (
    sorted(Path(_FOUND.submodule_search_locations[0]).glob("data/msg_*.txt"))
    if _FOUND is not None and _FOUND.submodule_search_locations
    else []
)
# Distributions leave CPython's tests out; the project's own mails are always here.
_OWN = sorted((Path(__file__).parents[1] / "mailbox" / "data").glob("*.eml"))


def test_there_are_mails_to_test_with() -> None:
    assert len(_OWN) >= 6


@pytest.mark.parametrize("path", _OWN + _MAILS, ids=lambda path: path.name)
def test_every_mail_becomes_a_row(path: Path, normalise: Callable[..., InteractionRow]) -> None:
    row = normalise(path.read_bytes())
    assert row.thread_id
    row.body.encode()


@pytest.mark.parametrize("path", _OWN + _MAILS, ids=lambda path: path.name)
def test_the_standard_library_reads_the_same(path: Path) -> None:
    """Sender, subject and attachments as an independent parser sees them. Covers A1.38."""
    data = path.read_bytes()
    message = BytesParser(policy=policy.default).parsebytes(data)
    mail = parse(data)
    if message["from"] is not None and message["from"].addresses:
        sender = message["from"].addresses[0]
        if sender.domain:
            assert mail.sender is not None
            assert mail.sender.address == sender.addr_spec.lower()
            shown = " ".join(sender.display_name.split())
            if shown.isprintable() and "\ufffd" not in shown and shown:  # it drops comments
                assert mail.sender.name == shown
    subject = " ".join(str(message["subject"] or "").split())
    if "\ufffd" not in subject and subject.isprintable():
        assert (mail.subject or "") == subject


@pytest.mark.parametrize("path", _OWN + _MAILS, ids=lambda path: path.name)
def test_the_body_is_part_of_what_the_standard_library_finds(path: Path) -> None:
    """Every line of the text is in some text part of the message, decoded independently."""
    data = path.read_bytes()
    message = BytesParser(policy=policy.default).parsebytes(data)
    found = ""
    for part in message.walk():
        payload = part.get_payload(decode=True)
        if isinstance(payload, bytes):
            found += payload.decode("utf-8", "replace") + payload.decode("latin-1")
        elif isinstance(part.get_payload(), str):
            found += str(part.get_payload())
        found += (part.preamble or "") + (part.epilogue or "")
    if "text/html" in {part.get_content_type() for part in message.walk()}:
        return  # compared in test_html.py
    for line in parse(data).body.split("\n"):
        if line.isascii():
            assert line.strip() in found
