"""What all walks share: where a source is, how a page fills up, how a cursor is checked."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Literal, TypeVar

import msgspec

from headrace.mailbox.limits import PAGE_BYTES, PAGE_MESSAGES
from headrace.provider import JSON, BadRecord, Page, Record

MAIL = "message/rfc822"
CALENDAR = "text/calendar"

Kind = Literal["mbox", "maildir", "eml", "ics", "unusable"]
Packing = Literal["", "zip", "gz"]

RESTARTED = "the file was replaced, cut or edited: read from the start again"


class Source(msgspec.Struct, frozen=True):
    """One stream of mail or events. `name` is its stream name, unique within the connection.

    `path` is the file or folder on disk; `member` and `entry` are a zip entry's number and name
    (the name is the sender's word and never becomes a path). `follow` says that `path` is what a
    person gave, so that it may be a link. A source that was found but cannot be read has the kind
    "unusable" and says in `problem` and `hint` what a person can do.
    """

    name: str
    kind: Kind
    path: Path
    packing: Packing = ""
    member: int = -1
    entry: str = ""
    follow: bool = False
    problem: str = ""
    hint: str = ""

    @property
    def content(self) -> str:
        """The media type of its records."""
        return CALENDAR if self.kind == "ics" else MAIL


class Walk(ABC):
    """Walks one source. `page` blocks; a walk is used by one thread at a time.

    A walk may keep a file open between pages to go on cheaply, but every page can also be had
    from a new walk and the cursor alone.
    """

    @abstractmethod
    def page(self, cursor: JSON) -> Page:
        """The page at `cursor`. Raises BadInput, or Retry when the disk fails."""

    def close(self) -> None:
        """Give back what is open."""
        return


class Filling:
    """A page while it fills up."""

    messages: ClassVar[int] = PAGE_MESSAGES
    size: ClassVar[int] = PAGE_BYTES

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.bad: list[BadRecord] = []
        self._room = self.size

    def add(self, item: Record | BadRecord) -> None:
        """Put one more thing that was read on the page."""
        if isinstance(item, Record):
            self.records.append(item)
            self._room -= len(item.payload)
        else:
            self.bad.append(item)
            self._room -= len(item.raw)

    @property
    def full(self) -> bool:
        """Whether the next thing belongs on the next page."""
        return self._room <= 0 or len(self.records) + len(self.bad) >= self.messages

    def about(self, rest: int) -> int | None:
        """About how many messages this many bytes hold, if they are like those of the page. To two
        digits, so that nobody takes it for a count."""
        read = self.size - self._room
        if read <= 0 or rest <= 0:
            return None
        guess = rest * (len(self.records) + len(self.bad)) // read
        return guess if guess < 100 else round(guess, 2 - len(str(guess)))

    def page(
        self,
        cursor: object,
        *,
        more: bool,
        notes: Mapping[str, str] | None = None,
        left: int | None = None,
    ) -> Page:
        """The finished page; `cursor` is a struct that becomes plain JSON."""
        return Page(
            records=self.records,
            bad=self.bad,
            cursor=msgspec.to_builtins(cursor),
            more=more,
            notes=dict(notes or {}),
            left=left if more else 0,
        )


def damaged(source: Source, at: int, why: str) -> BadRecord:
    """What is said of the part of an archive that could not be unpacked."""
    return BadRecord(
        raw=b"",
        reason=f"{source.name} cannot be read beyond byte {at:,}: {why}.",
        hint="What came before has landed. Get the archive again and run the import again.",
        source_id=f"damage/{at}",
    )


C = TypeVar("C")


def read_cursor(cursor: JSON, shape: type[C]) -> C | None:
    """The cursor in its shape; None (start again) if there is none or it is of another shape.

    Starting again is always safe: what has landed already is recognised.
    """
    if cursor is None:
        return None
    try:
        return msgspec.convert(cursor, shape)
    except msgspec.ValidationError:
        return None
