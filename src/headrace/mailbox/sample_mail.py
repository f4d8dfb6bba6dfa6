"""One sample mail as bytes: the forms that mail programs give to the same few sentences."""

from __future__ import annotations

import base64
import binascii
import html
from collections.abc import Sequence
from datetime import datetime
from random import Random

import msgspec


class Person(msgspec.Struct, frozen=True):
    """Somebody who writes or receives mail."""

    name: str
    address: str

    @property
    def domain(self) -> str:
        """The part of the address after the at sign."""
        return self.address.partition("@")[2]


class Draft(msgspec.Struct, kw_only=True):
    """A mail before it is given a form."""

    number: int
    thread: int
    when: datetime
    sender: Person
    receiver: Person
    copied: Person | None
    subject: str
    body: str
    quoted: str
    references: Sequence[str]
    labels: list[str]
    attachment: str | None

    @property
    def message_id(self) -> str:
        """In angle brackets, as in the header."""
        return f"<{self.when:%Y%m%d}.{self.number}.{self.thread % 100_003}@{self.sender.domain}>"

    @property
    def text(self) -> str:
        """Greeting, body, signature and what is answered, as plain text."""
        first = self.receiver.name.split()[0].rstrip(",")
        quoted = "".join(f"> {line}\n" for line in self.quoted.split("\n") if line)
        answered = f"\nEarlier:\n{quoted}" if quoted else ""
        return f"Hi {first},\n\n{self.body}\n\n-- \n{self.sender.name}\n{answered}"


def write_message(draft: Draft, random: Random) -> bytes:
    """The mail in one of the usual forms, with lines ending in a newline."""
    head, plain = _headers(draft), draft.text
    if draft.attachment is not None:
        content = _with_attachment(draft, draft.attachment)
    elif (roll := random.random()) < 0.35:
        content = _alternative(draft)
    elif roll < 0.55:
        content = _leaf("text/plain", "utf-8", "base64", plain)
    elif roll < 0.7 and _fits(plain, "iso-8859-1"):
        content = _leaf("text/plain", "iso-8859-1", "quoted-printable", plain)
    elif roll < 0.75:
        content = _leaf("text/html", "utf-8", "quoted-printable", _html(draft))
    else:
        content = _leaf("text/plain", "utf-8", "8bit", plain)
    return head + b"MIME-Version: 1.0\n" + content


def broken(draft: Draft, kind: int) -> bytes:
    """The mail damaged in one of six ways."""
    head, plain = _headers(draft), draft.text.encode()
    match kind % 6:
        case 0:  # a charset that is not what it says
            return head + b"Content-Type: text/plain; charset=us-ascii\n\n" + plain + b"caf\xe9\n"
        case 1:  # a multipart that is never closed
            return head + b"Content-Type: multipart/mixed; boundary=x\n\n--x\n\n" + plain
        case 2:  # a date that no calendar has
            return head.replace(b"\nDate: ", b"\nDate: Mon, 99 Xyz 9999 77:99 ", 1) + b"\n" + plain
        case 3:  # raw bytes in a header, and a NUL in the body
            return b"Subject: caf\xe9 \xff\n" + head + b"\n" + plain + b"\0after NUL\n"
        case 4:  # a body that starts right after the headers
            return head + plain
        case _:  # a separator with no mail behind it
            return b""


def _headers(draft: Draft) -> bytes:
    lines = [
        f"X-GM-THRID: {draft.thread}",
        f"X-Gmail-Labels: {','.join(draft.labels)}",
        f"Received: from mail.{draft.sender.domain} by mx.northwind.example",
        f"\twith ESMTPS id {draft.number:08x}; {draft.when:%a, %d %b %Y %H:%M:%S +0000}",
        f"Date: {draft.when:%a, %d %b %Y %H:%M:%S +0000}",
        f"From: {_mailbox(draft.sender)}",
        f"To: {_mailbox(draft.receiver)}",
        f"Subject: {_words(draft.subject)}",
        f"Message-ID: {draft.message_id}",
    ]
    if draft.copied is not None:
        lines.append(f"Cc: {_mailbox(draft.copied)}")
    if draft.references:
        lines.append(f"In-Reply-To: {draft.references[-1]}")
        lines.append("References: " + "\n ".join(draft.references))
    return "\n".join(lines).encode() + b"\n"


def _mailbox(person: Person) -> str:
    name = f'"{person.name}"' if "," in person.name else _words(person.name)
    return f"{name} <{person.address}>"


def _words(value: str) -> str:
    """As an encoded word (RFC 2047) unless plain ASCII does."""
    if value.isascii():
        return value
    return f"=?UTF-8?B?{base64.b64encode(value.encode()).decode()}?="


def _leaf(kind: str, charset: str, encoding: str, content: str) -> bytes:
    data = content.encode(charset)
    if encoding == "base64":
        data = base64.encodebytes(data)
    elif encoding == "quoted-printable":
        data = binascii.b2a_qp(data)
    head = f"Content-Type: {kind}; charset={charset}\nContent-Transfer-Encoding: {encoding}\n\n"
    return head.encode() + data


def _alternative(draft: Draft) -> bytes:
    boundary = f"=_alt_{draft.number:06d}"
    return _multipart(
        "alternative",
        boundary,
        _leaf("text/plain", "utf-8", "quoted-printable", draft.text),
        _leaf("text/html", "utf-8", "quoted-printable", _html(draft)),
    )


def _with_attachment(draft: Draft, name: str) -> bytes:
    pdf = b"%PDF-1.4\n% " + f"{draft.subject} {draft.number}".encode() * 40 + b"\n%%EOF\n"
    attachment = (
        f'Content-Type: application/pdf; name="{name}"\n'
        f'Content-Disposition: attachment; filename="{name}"\n'
        "Content-Transfer-Encoding: base64\n\n"
    ).encode() + base64.encodebytes(pdf)
    return _multipart("mixed", f"=_mix_{draft.number:06d}", _alternative(draft), attachment)


def _multipart(kind: str, boundary: str, *parts: bytes) -> bytes:
    head = f'Content-Type: multipart/{kind}; boundary="{boundary}"\n\n'.encode()
    mark = b"--" + boundary.encode()
    return head + b"".join(mark + b"\n" + part + b"\n" for part in parts) + mark + b"--\n"


def _html(draft: Draft) -> str:
    paragraphs = "".join(
        f"<p>{html.escape(line)}</p>" for line in draft.text.split("\n") if line.strip()
    )
    style = "body{font-family:sans-serif}p{margin:0 0 1em}"
    return f"<html><head><style>{style}</style></head><body><div>{paragraphs}</div></body></html>"


def _fits(content: str, charset: str) -> bool:
    try:
        content.encode(charset)
    except UnicodeEncodeError:
        return False
    return True
