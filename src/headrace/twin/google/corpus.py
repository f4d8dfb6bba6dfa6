"""What a mailbox holds at start: message n by arithmetic, its bytes made when asked for."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from headrace.twin.google.letters import compose
from headrace.twin.google.mail import Mail, mail_id

START_MS = 1_704_096_000_000
"""2024-01-01T08:00:00Z."""
_SPAN_MS = 600 * 86_400_000
# Of every ten messages one stands alone, and conversations of two, three and four follow.
_FIRST_OF = (0, 1, 1, 3, 3, 3, 6, 6, 6, 6)
_INBOX = frozenset({"INBOX", "CATEGORY_PERSONAL"})
_LABELS = (
    _INBOX | {"UNREAD"},
    _INBOX,
    frozenset({"SENT"}),
    _INBOX | {"IMPORTANT"},
    frozenset({"SENT", "STARRED"}),
    frozenset({"Label_1"}),
    frozenset({"INBOX", "UNREAD", "CATEGORY_PROMOTIONS"}),
    frozenset({"INBOX", "CATEGORY_UPDATES"}),
    _INBOX | {"Label_2"},
    frozenset({"INBOX", "CATEGORY_UPDATES", "STARRED"}),
)
_RARE = {17: frozenset({"SPAM", "UNREAD"}), 41: frozenset({"TRASH"}), 77: frozenset({"DRAFT"})}


def corpus(account: str, seed: int, count: int, history_start: int) -> Iterator[Mail]:
    """The messages, oldest first, each with a historyId below `history_start`."""
    salt = f"{account} {seed}"
    step_ms = max(1, _SPAN_MS // max(1, count))
    ids: list[str] = []
    for number in range(count):
        ms = START_MS + number * step_ms + number * 7_919 % step_ms
        ids.append(mail_id(salt, number, ms))
        first = number - number % 10 + _FIRST_OF[number % 10]
        labels = _RARE.get(number % 100, _LABELS[number % 10])
        sent = bool(labels & {"SENT", "DRAFT"})
        raw = partial(compose, account, seed, number, ms, first=first, sent=sent)
        yield Mail(ids[number], ids[first], ms, labels, history_start - count + number, raw)
