"""What has happened in a mailbox since a historyId, as Gmail tells it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from headrace.twin.google.mail import Mail
from headrace.twin.google.options import LARGEST_HISTORY_ID
from headrace.twin.message import Refused

KINDS = {
    "messageAdded": "messagesAdded",
    "messageDeleted": "messagesDeleted",
    "labelAdded": "labelsAdded",
    "labelRemoved": "labelsRemoved",
}
"""A type of change, and the field that tells it."""


@dataclass(frozen=True, slots=True)
class Record:
    """One change: `labels` are those of the message after it, `changed` those it is about."""

    id: int
    kind: str
    mail: str
    thread: str
    labels: tuple[str, ...]
    changed: tuple[str, ...] = ()

    def told(self) -> dict[str, Any]:
        """As history.list gives it."""
        short = {"id": self.mail, "threadId": self.thread}
        change: dict[str, Any] = {"message": {**short, "labelIds": list(self.labels)}}
        if self.changed:
            change["labelIds"] = list(self.changed)
        return {"id": str(self.id), "messages": [short], KINDS[self.kind]: [change]}


class History:
    """The records by their ids, which grow with gaps between them."""

    def __init__(self, start: int) -> None:
        self.now = start
        self._floor = start
        self._records: list[Record] = []

    def write(self, kind: str, mail: Mail, changed: Sequence[str] = ()) -> None:
        """Note a change that has been made to a message, and give it its new historyId."""
        if self.now + 8 > LARGEST_HISTORY_ID:
            raise Refused(400, "No historyId is left: they end at 2^64 - 1.")
        self.now += 1 + (self.now * 5 + len(self._records)) % 7
        mail.history = self.now
        self._records.append(
            Record(
                self.now, kind, mail.id, mail.thread, tuple(mail.label_ids), tuple(sorted(changed))
            )
        )

    def expire(self) -> None:
        """Forget it all: every historyId given out so far is too old from here on."""
        self.now += 1
        self._floor = self.now
        self._records.clear()

    def knows(self, since: int) -> bool:
        """Whether changes since that id can be told."""
        return self._floor <= since <= self.now

    def after(self, since: int) -> Iterator[Record]:
        """The records with greater ids, oldest first."""
        start = bisect_right(self._records, since, key=lambda record: record.id)
        return iter(self._records[start:])
