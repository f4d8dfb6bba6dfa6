"""A realistic mailbox to try things on: conversations of one person's working year, made up.

The same seed gives the same bytes, on every Python version. The form is Google Takeout's, and as
in every real mailbox a few mails are broken, each in a way that mail really is.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import BinaryIO

import msgspec

from headrace.mailbox.sample_mail import Draft, Person, broken, write_message

START = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
OWNER_ADDRESS = "maya@northwind.example"
"""Whose mailbox it is: what to put into a connection's `addresses`."""

_TEXT = Path(__file__).with_name("sample.yaml")
_BROKEN_EVERY = 97


class Matter(msgspec.Struct, frozen=True):
    """A conversation: who opens it, under which label, its subject and its mails in order."""

    opener: str
    label: str
    subject: str
    mails: list[str]
    attachment: str | None = None


class Text(msgspec.Struct, frozen=True):
    """What `sample.yaml` holds."""

    owner: Person
    colleagues: list[Person]
    outsiders: list[Person]
    senders: list[Person]
    words: dict[str, list[str]]
    matters: list[Matter]


def write_sample_mbox(path: Path | str, messages: int = 2000, seed: int = 7) -> int:
    """Write an mbox of `messages` messages to `path`; returns how many there are in it.

    About one in a hundred is malformed; of those one in six is empty, so that not every message
    becomes a record.
    """
    with Path(path).open("wb") as file:
        return _Writer(file, Random(seed), messages).run()  # noqa: S311 - a sample, not a secret


class _Writer:
    def __init__(self, file: BinaryIO, random: Random, messages: int) -> None:
        self._file = file
        self._random = random
        self._wanted = messages
        self._written = 0
        self._now = START
        self._text = msgspec.yaml.decode(_TEXT.read_bytes(), type=Text)

    def run(self) -> int:
        while self._written < self._wanted:
            self._conversation()
        return self._written

    def _conversation(self) -> None:
        random, text = self._random, self._text
        matter = random.choice(text.matters)
        filled = self._fill()
        other = self._other(matter.opener)
        thread = 1_850_000_000_000_000_000 + self._written * 7_919
        reply, previous, references = "", "", tuple[str, ...]()
        length = random.randint(1, len(matter.mails))
        for turn, words in enumerate(matter.mails[:length]):
            if self._written == self._wanted:
                return
            mine = turn % 2 == 1
            sender, receiver = (text.owner, other) if mine else (other, text.owner)
            copied = random.choice(text.colleagues)
            draft = Draft(
                number=self._written,
                thread=thread,
                when=self._now,
                sender=sender,
                receiver=receiver,
                copied=copied if copied != other and random.random() < 0.25 else None,
                subject=reply + matter.subject.format(**filled),
                body=words.format(**filled),
                quoted=previous,
                references=references,
                labels=["Sent"] if mine else ["Inbox", matter.label],
                attachment=matter.attachment.format(**filled)
                if matter.attachment and turn == 0
                else None,
            )
            self._write(draft)
            reply, previous = "Re: ", draft.body
            references = (*references, draft.message_id)
            self._now += timedelta(minutes=random.randint(4, 180))
        self._now += timedelta(minutes=random.randint(1, 240))

    def _write(self, draft: Draft) -> None:
        if self._written % _BROKEN_EVERY == _BROKEN_EVERY - 1:
            content = broken(draft, self._written // _BROKEN_EVERY)
        else:
            content = write_message(draft, self._random)
        stamp = draft.when.strftime("%a %b %d %H:%M:%S +0000 %Y")
        self._file.write(f"From {draft.thread + draft.number}@xxx {stamp}\n".encode())
        for line in content.split(b"\n"):
            quoted = b">" if line.lstrip(b">").startswith(b"From ") else b""
            self._file.write(quoted + line + b"\n")
        self._written += 1

    def _fill(self) -> dict[str, str]:
        """The words that one conversation is about."""
        random = self._random
        amount = random.randint(180, 9_800)
        chosen = {name: random.choice(values) for name, values in self._text.words.items()}
        return chosen | {
            "other": random.choice(self._text.outsiders).name.split()[0],
            "number": f"2026-{random.randint(1000, 9999)}",
            "amount": f"{amount:,}.00",
            "lower": f"{amount * 9 // 10:,}.00",
            "day": str(random.randint(4, 20)),
            "minute": str(random.randint(10, 55)),
            "minutes": str(random.randint(6, 90)),
            "percent": str(random.randint(3, 38)),
            "flight": str(random.randint(200, 899)),
            "back": str(random.randint(200, 899)),
            "code": "".join(random.choices("ABCDEFGHJKLMNPQRSTUVWXYZ", k=6)),
        }

    def _other(self, opener: str) -> Person:
        """Who the conversation is with; `sender:2` is the third of the automatic senders."""
        if opener.startswith("sender:"):
            return self._text.senders[int(opener.partition(":")[2])]
        people = self._text.colleagues if opener == "colleague" else self._text.outsiders
        return self._random.choice(people)
