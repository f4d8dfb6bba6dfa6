"""One message of a mailbox, and the names that messages go by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b

SYSTEM_LABELS = (
    "CHAT", "SENT", "INBOX", "IMPORTANT", "TRASH", "DRAFT", "SPAM", "CATEGORY_FORUMS",
    "CATEGORY_UPDATES", "CATEGORY_PERSONAL", "CATEGORY_PROMOTIONS", "CATEGORY_SOCIAL", "STARRED",
    "UNREAD",
)  # fmt: skip
HIDDEN = frozenset({"SPAM", "TRASH"})
"""What lists leave out unless they are told not to."""


@dataclass(slots=True)
class Mail:
    """A message. Its id and its bytes never change; its labels, and with them `history`, do.

    `raw` is its bytes, or what makes them.
    """

    id: str
    thread: str
    ms: int
    labels: frozenset[str]
    history: int
    raw: bytes | Callable[[], bytes]

    @property
    def key(self) -> tuple[int, str]:
        """What the mailbox is ordered by."""
        return (self.ms, self.id)

    @property
    def content(self) -> bytes:
        """The RFC 822 bytes."""
        return self.raw if isinstance(self.raw, bytes) else self.raw()

    @property
    def label_ids(self) -> list[str]:
        """The labels in a fixed order."""
        return sorted(self.labels)


def mail_id(salt: str, number: int, ms: int) -> str:
    """16 hex digits that grow with time, as Gmail's do: milliseconds, then 20 bits by chance."""
    digest = blake2b(f"{salt} {number}".encode(), digest_size=3).digest()
    return f"{(ms << 20) | int.from_bytes(digest, 'big') >> 4:016x}"
