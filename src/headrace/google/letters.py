"""Gmail's lists, changes and messages: as much of them as a sync has to understand.

A historyId is a number of 64 bits, written as text, and seen with 21 digits: it is kept as text,
compared as an integer (rule G2), and as a mark it has leading zeros, so that marks sort.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta

from headrace.errors import Retry
from headrace.http import Answer
from headrace.provider import BadRecord, Record

T = TypeVar("T")

HistoryId = Annotated[str, Meta(pattern=r"^[0-9]{1,24}\Z")]
_DIGITS = 24

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EARLIEST = -2_208_988_800_000  # 1900
_LATEST = 7_258_118_400_000  # 2200


class _Shape(msgspec.Struct, rename="camel", gc=False):
    """Unknown fields are passed over."""


class Named(_Shape):
    """A message by its id."""

    id: str


class Profile(_Shape):
    """users.getProfile"""

    email_address: str
    history_id: HistoryId
    messages_total: int = 0


class Listed(_Shape):
    """A page of messages.list; `messages` may be missing while there is a token (rule G5)."""

    messages: list[Named] = []
    next_page_token: str = ""
    result_size_estimate: int = 0


class _Touched(_Shape):
    message: Named


class Change(_Shape):
    """One history record. `messages` beside the four types repeats them, and is not read (G8)."""

    id: HistoryId
    messages_added: list[_Touched] = []
    messages_deleted: list[_Touched] = []
    labels_added: list[_Touched] = []
    labels_removed: list[_Touched] = []

    def touched(self) -> Iterator[str]:
        """The ids of the messages that are still there as far as this record knows."""
        for one in (*self.messages_added, *self.labels_added, *self.labels_removed):
            yield one.message.id

    def deleted(self) -> Iterator[str]:
        """The ids of those deleted for good."""
        for one in self.messages_deleted:
            yield one.message.id


class Changes(_Shape):
    """A page of history.list."""

    history_id: HistoryId
    history: list[Change] = []
    next_page_token: str = ""


class Label(_Shape):
    """A label; a person knows it by its name."""

    id: str
    name: str
    messages_total: int = 0


class Labels(_Shape):
    """labels.list"""

    labels: list[Label] = []


class Alias(_Shape):
    """An address that the owner sends from; one that has not been verified may be anybody's."""

    send_as_email: str
    verification_status: str = "accepted"


class Aliases(_Shape):
    """settings.sendAs.list"""

    send_as: list[Alias] = []


class Content(_Shape):
    """messages.attachments.get"""

    data: str


class _Head(_Shape):
    id: str
    history_id: HistoryId
    internal_date: str = ""
    label_ids: list[str] = []


class Letter(msgspec.Struct):
    """One message as Gmail has it now. `ms` is its internal date, None where it is absurd; `names`
    are those of its owner's own labels, as far as they are known."""

    id: str
    history_id: str
    ms: int | None
    labels: frozenset[str]
    body: bytes
    names: dict[str, str] = {}

    @property
    def own_labels(self) -> frozenset[str]:
        """The ids of those of its labels that its owner has made: the others are names as well."""
        return frozenset(one for one in self.labels if one.startswith("Label_"))

    def record(self) -> Record:
        """For landing. Labels change and the rest never does, and whatever changes has a new
        historyId; the bytes differ at every fetch, since attachment ids do (rule G13).

        In front of what Gmail sent stand the names of labels, of which a message says only ids.
        """
        body = self.body
        if self.names:
            body = b'{"labelNames":%b,%b' % (msgspec.json.encode(self.names), body.lstrip()[1:])
        return Record(
            self.id,
            body,
            occurred_at=None if self.ms is None else _EPOCH + timedelta(milliseconds=self.ms),
            mark=mark_of(self.history_id),
            fingerprint=self.history_id.encode(),
        )


def mark_of(history_id: str) -> str:
    """A historyId as a mark, which sorts as the number does."""
    return history_id.zfill(_DIGITS)


def gone(name: str, history_id: str) -> Record:
    """A tombstone. Its mark puts it after the versions that it ends."""
    return Record(name, b"", mark=mark_of(history_id), gone=True)


def read_letter(asked: str, answer: Answer) -> Letter | BadRecord:
    """The message that was asked for, or why it cannot be used. Raises Retry for broken JSON."""
    try:
        head = msgspec.json.decode(answer.body, type=_Head)
    except msgspec.ValidationError as wrong:
        return _bad(asked, answer, f"The message is of another shape: {wrong}.")
    except RecursionError:
        return _bad(asked, answer, "The message nests too deep.")
    except msgspec.DecodeError:
        raise Retry(f"{answer.host} sent JSON that does not decode.") from None
    if head.id != asked:
        return _bad(asked, answer, "Gmail sent another message than it was asked for.")
    labels = frozenset(head.label_ids)
    return Letter(head.id, head.history_id, _ms(head.internal_date), labels, answer.body)


def _bad(asked: str, answer: Answer, reason: str) -> BadRecord:
    return BadRecord(answer.body, reason, "Report it; the rest goes on.", source_id=asked)


def _ms(text: str) -> int | None:
    """Rule G14: Gmail's own time, unless it is none."""
    if len(text) > 15 or not text.lstrip("-").isdecimal():
        return None
    ms = int(text)
    return ms if _EARLIEST <= ms < _LATEST else None
