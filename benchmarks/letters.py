"""Mails for measuring the stages: a mailbox of any size, the same each time.

Some twenty people write half of it, thousands the rest; a third answers something and quotes it; a
quarter is written by programs and lists.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random

from headrace.provider import Record

OWN = "ann@example.com"
_START = datetime(2020, 1, 1, tzinfo=UTC)
_FIRST = "Ada Ben Cleo Dan Eva Finn Gia Hugo Ida Jon Kai Lea Max Nia Otto Pia Rosa Sam Tia Uli"
_BEGIN = "Ad Bra Cos Di Ev Fer Gru Han It Jan Kle Lop Mey Nov Or Pet Ros Sil Tor Wal"
_MIDDLE = "an be co den er fi gon hel in ka lo mar ne ol per ri sen ta vel win"
_END = "ac berg dal ek ford gren heim ini ko land mann nov oux person quist ram son tier vic wood"
_WORDS = (
    "invoice meeting budget review launch contract draft schedule answer question project team"
    " customer release estimate travel ticket support design feedback plan number report week"
)
_FIRSTS, _SAID = _FIRST.split(), _WORDS.split()
_LASTS = [f"{a}{b}{c}" for b in _MIDDLE.split() for c in _END.split() for a in _BEGIN.split()]


def letters(total: int) -> Iterator[Record]:
    """So many mails, as they would be landed."""
    random = Random(4)
    for number in range(total):
        at = _START + timedelta(minutes=7 * number)
        yield Record(f"m{number:08}", _letter(random, number, at, people(total)), occurred_at=at)


def people(total: int) -> int:
    """How many take part: a fiftieth of the mails."""
    return max(100, total // 50)


def _letter(random: Random, number: int, at: datetime, known: int) -> bytes:
    program = random.random() < 0.25
    sent = not program and random.random() < 0.3
    who = random.randrange(20) if random.random() < 0.5 else random.randrange(known)
    other = _person(who)
    sender, receiver = (f"Ann Example <{OWN}>", other) if sent else (other, f"Ann <{OWN}>")
    extra = ""
    if program:
        sender = f"Shop {who % 300} <no-reply@shop{who % 300}.example>"
        extra = f"List-Unsubscribe: <https://shop{who % 300}.example/u>\r\n"
    elif random.random() < 0.3:
        extra = f"Cc: {_person(random.randrange(known))}, {_person(random.randrange(known))}\r\n"
    said = " ".join(random.choices(_SAID, k=random.randrange(20, 120)))
    phone = "+49 30 9999999" if sent else f"+49 30 {who:07}"
    body = f"Hello,\r\n\r\n{said}.\r\n\r\n-- \r\n{sender.split(' <')[0]}\r\n{phone}\r\n"
    if random.random() < 0.33:
        quoted = " ".join(random.choices(_SAID, k=60))
        body += f"\r\nOn Mon, 2 Mar 2020 at 10:00, {receiver} wrote:\r\n> {quoted}\r\n"
    return (
        f"From: {sender}\r\nTo: {receiver}\r\n{extra}"
        f"Subject: {' '.join(random.choices(_SAID, k=4))}\r\n"
        f"Date: {at:%a, %d %b %Y %H:%M:%S} +0000\r\nMessage-ID: <{number}@example.com>\r\n"
        f"Content-Type: text/plain; charset=utf-8\r\n\r\n{body}"
    ).encode()


def _person(number: int) -> str:
    # A prime apart, so that neighbours share no name; one in ten has an earlier one's.
    named = number if number % 10 else number // 2
    first, last = _FIRSTS[named % len(_FIRSTS)], _LASTS[named * 7919 // 20 % len(_LASTS)]
    address = f"{first}.{last}{number}@firm{number % 997}.example".lower()
    return f"{first} {last} <{address}>"
