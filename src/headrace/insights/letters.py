"""What people wrote to each other: a bounded number of interactions, the newest first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from headrace.insight import MOST_CHARACTERS, MOST_GIVEN, SHORTEST_QUOTE, Given, Reader
from headrace.insights.wording import questions

MOST_LETTERS = 60

CONTACT = r"contact:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
CONTACT_EXAMPLE = "contact:0b9c1b52-6c3e-4a0e-8a55-3f1c2d4e5f60"

_COLUMNS = """
SELECT i.stream_id, i.source_id, i.version, i.occurred_at, i.kind, i.direction, i.thread_id,
  i.from_name, i.from_address, left(i.subject, 300) AS subject,
  left(coalesce(i.unquoted, i.body), %(characters)s) AS text, i.automated
FROM headrace.interactions i
"""

_THREAD = """
WHERE i.tenant_id = %(tenant)s AND i.user_id = %(user)s AND i.thread_id = %(thread)s
ORDER BY i.occurred_at DESC NULLS LAST, i.stream_id, i.source_id LIMIT %(limit)s
"""

_CONTACT = """
JOIN (
  SELECT DISTINCT p.occurred_at, p.stream_id, p.source_id
  FROM headrace.contact_identities c
  JOIN headrace.participants p USING (tenant_id, identity_id)
  WHERE c.tenant_id = %(tenant)s AND c.user_id = %(user)s AND c.contact_id = %(contact)s
  ORDER BY 1 DESC NULLS LAST, 2, 3 LIMIT %(limit)s
) mine USING (stream_id, source_id)
WHERE i.tenant_id = %(tenant)s AND i.user_id = %(user)s
ORDER BY i.occurred_at DESC NULLS LAST, i.stream_id, i.source_id
"""

_WHO = """
SELECT k.contact_id, k.name, k.email, k.organisation, k.first_seen_at, k.last_seen_at
FROM headrace.contact_identities c
JOIN headrace.contacts k ON k.tenant_id = c.tenant_id AND k.contact_id = c.contact_id
WHERE c.tenant_id = %(tenant)s AND c.user_id = %(user)s AND c.identity_id = %(contact)s
"""

_RECENT = """
SELECT contact_id FROM headrace.contacts
WHERE tenant_id = %(tenant)s AND user_id = %(user)s AND last_seen_at IS NOT NULL
ORDER BY last_seen_at DESC, contact_id LIMIT %(limit)s
"""


class Letter(msgspec.Struct, frozen=True):
    """An interaction, without what it quotes of others."""

    stream_id: int
    source_id: str
    version: int
    occurred_at: datetime | None
    kind: str
    direction: str | None
    thread_id: str | None
    from_name: str | None
    from_address: str | None
    subject: str | None
    text: str
    automated: str | None

    @property
    def mine(self) -> bool:
        """Whether the owner wrote it."""
        return self.direction == "outbound"

    @property
    def who(self) -> str:
        """Who wrote it."""
        return "you" if self.mine else self.from_name or self.from_address or "somebody"

    @property
    def thread(self) -> tuple[object, ...]:
        """What it belongs to: its thread, or itself."""
        return (self.thread_id,) if self.thread_id else (self.stream_id, self.source_id)

    @property
    def asks(self) -> list[str]:
        """The questions in it, unless a program asks them."""
        return [] if self.automated else questions(self.text)

    def given(self) -> Given:
        """It as a text that may be quoted: the subject is its first line."""
        text = f"{self.subject}\n{self.text}" if self.subject else self.text
        return Given(
            self.stream_id,
            self.source_id,
            self.version,
            self.occurred_at,
            self.who,
            self.direction,
            text,
        )


class Sources:
    """Texts that an insight may quote, each once, as many as it may have."""

    def __init__(self) -> None:
        self.given: list[Given] = []
        self._places: dict[tuple[int, str], int] = {}

    def add(self, one: Given) -> int | None:
        """Its number, from 1; None where there is no room left, or nothing in it to quote."""
        at = (one.stream_id, one.source_id)
        if at not in self._places:
            if len(self.given) == MOST_GIVEN or not one.text.strip():
                return None
            self.given.append(one)
            self._places[at] = len(self.given)
        return self._places[at]


def of_thread(reader: Reader, thread: str, limit: int = MOST_LETTERS) -> list[Letter]:
    """The newest interactions of a thread."""
    return letters(reader, _THREAD, thread=thread, limit=limit)


def of_contact(reader: Reader, contact: str, limit: int = MOST_LETTERS) -> list[Letter]:
    """The newest interactions that a contact took part in."""
    return letters(reader, _CONTACT, contact=contact, limit=limit)


def letters(reader: Reader, which: str, **values: Any) -> list[Letter]:
    """Interactions, as the rest of the query after `FROM headrace.interactions i` says which."""
    rows = reader.rows(_COLUMNS + which, characters=MOST_CHARACTERS, **values)
    return [Letter(**row) for row in rows]


def unanswered(found: Sequence[Letter]) -> list[tuple[Letter, list[str]]]:
    """Those in which somebody asks, and after which the owner has written nothing in their thread;
    the newest of each thread, newest first."""
    open_: dict[tuple[object, ...], tuple[Letter, list[str]] | None] = {}
    for one in found:
        if one.thread in open_ or one.automated:
            continue
        if one.mine:
            open_[one.thread] = None
        elif asked := one.asks:
            open_[one.thread] = (one, asked)
    return [one for one in open_.values() if one is not None]


def contact(reader: Reader, subject: str) -> dict[str, Any] | None:
    """The contact that a subject names, by the id of any of its identities."""
    found = reader.rows(_WHO, contact=UUID(subject.removeprefix("contact:")))
    return found[0] if found else None


def contact_there(reader: Reader, subject: str) -> bool:
    """Whether there is such a contact."""
    return contact(reader, subject) is not None


def recent_contacts(reader: Reader, limit: int) -> list[str]:
    """The contacts seen last, as subjects."""
    return [f"contact:{row['contact_id']}" for row in reader.rows(_RECENT, limit=limit)]


def name_of(who: dict[str, Any]) -> str:
    """What a contact is called."""
    return str(who["name"] or who["email"] or who["contact_id"])


def quotable(one: Given) -> str:
    """Words that stand for a text as a whole: its first line of some length, else its longest."""
    lines = [line.strip()[:300].strip() for line in one.text.splitlines()]
    return next((line for line in lines if len(line) >= SHORTEST_QUOTE), max(lines, key=len))
