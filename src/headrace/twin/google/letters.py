"""The bytes of message n: RFC 822, always the same for a seed, made when they are asked for.

What takes time, the MIME bodies, is made once and shared; a message is its own headers before one
of them. As in every real mailbox a few dates are nonsense: one message in 97.
"""

from __future__ import annotations

from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from functools import cache
from hashlib import blake2b

from headrace.twin.words import ARTICLES, CAMPAIGNS, ERRORS, MESSAGES, PRODUCTS, SERVICES

PEOPLE = (
    ("Grace Hopper", "grace@navy.example"),
    ("Łukasz Wójcik", "lukasz@wroclaw.example"),
    ("山田 太郎", "taro@kyoto.example"),
    ("Okonkwo, Chidi", "chidi@lagos.example"),
    ("Zoë Müller", "zoe@berlin.example"),
    ("Trail Shop", "orders@trailshop.example"),
    ("Statuswatch", "alerts@statuswatch.example"),
    ("Ines Carvalho", "ines@porto.example"),
)
_BODIES = 96
_ODD_EVERY = 97
_ODD_DATES = ("Mon, 99 Xyz 9999 77:99 +0000", None, "Fri, 31 Dec 9999 23:59:59 +0000", "yesterday")


def compose(
    account: str, seed: int, number: int, when_ms: int, *, first: int, sent: bool = False
) -> bytes:
    """Message `number` of a mailbox; `first` is the number of the one its conversation began with.

    `sent`: from the account's owner, not to them.
    """
    draw = blake2b(b"%d %d" % (seed, number), digest_size=8).digest()
    person = PEOPLE[blake2b(b"%d %d" % (seed, first), digest_size=1).digest()[0] % len(PEOPLE)]
    owner = ("", account)
    sender, receiver = (owner, person) if sent else (person, owner)
    topic = _topic(seed, first)
    subject = topic if number == first else f"Re: {topic}"
    lines = [
        f"From: {_mailbox(sender)}",
        f"To: {_mailbox(receiver)}",
        f"Subject: {_word(subject)}",
        f"Message-ID: {message_id(account, seed, number)}",
    ]
    if number != first:
        origin = message_id(account, seed, first)
        lines += [f"In-Reply-To: {origin}", f"References: {origin}"]
    date = _date(number, when_ms)
    if date is not None:
        lines.append(f"Date: {date}")
    return "\r\n".join([*lines, ""]).encode() + _body(draw[0] % _BODIES)


def message_id(account: str, seed: int, number: int) -> str:
    """In angle brackets, as in the header."""
    return f"<{number}.{seed}@{account.partition('@')[2]}>"


def _date(number: int, when_ms: int) -> str | None:
    if number % _ODD_EVERY == _ODD_EVERY - 1:
        return _ODD_DATES[number // _ODD_EVERY % len(_ODD_DATES)]
    return format_datetime(datetime.fromtimestamp(when_ms // 1_000, UTC))


def _topic(seed: int, first: int) -> str:
    draw = blake2b(b"topic %d %d" % (seed, first), digest_size=2).digest()
    topics = PRODUCTS + ARTICLES + CAMPAIGNS
    return f"{topics[draw[0] % len(topics)]} ({SERVICES[draw[1] % len(SERVICES)]})"


def _mailbox(person: tuple[str, str]) -> str:
    name, address = person
    if not name:
        return address
    return f'"{name}" <{address}>' if "," in name else f"{_word(name)} <{address}>"


@cache
def _word(text: str) -> str:
    """As an encoded word (RFC 2047) unless ASCII does."""
    message = EmailMessage(policy=SMTP.clone(max_line_length=0))
    message["Subject"] = text
    return message.as_string().removeprefix("Subject: ").strip()


@cache
def _body(number: int) -> bytes:
    """The MIME headers and the body that messages share, in each of the usual forms."""
    message = EmailMessage(policy=SMTP)
    text = (
        f"{MESSAGES[number % len(MESSAGES)]}\n\n"
        f"{ARTICLES[number % len(ARTICLES)]}: {ERRORS[number % len(ERRORS)]}.\n"
    )
    form = number % 6
    if form == 0:
        message.set_content(text)
    elif form == 1:
        message.set_content(text, charset="utf-8", cte="base64")
    elif form == 2:
        message.set_content(text + "caf\u00e9\n", charset="iso-8859-1", cte="quoted-printable")
    elif form == 3:
        message.set_content(f"<p>{text}</p>", subtype="html")
    else:
        message.set_content(text)
        message.add_alternative(f"<html><body><p>{text}</p></body></html>", subtype="html")
    if form == 5:
        message.add_attachment(
            b"%PDF-1.4\n" + text.encode() * 20,
            maintype="application",
            subtype="pdf",
            filename=f"Rechnung Zürich {number}.pdf",
        )
    _fix_boundaries(message, number)
    return message.as_bytes()


def _fix_boundaries(message: EmailMessage, number: int) -> None:
    """The package draws boundaries by chance; these are the same in every run."""
    for place, part in enumerate(message.walk()):
        if part.is_multipart():
            part.set_boundary(f"=_{number:04d}_{place}")
