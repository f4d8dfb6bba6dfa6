"""What tests make happen in a mailbox: a JSON list of `{"do": ..., ...}`.

A message is named by `id`, or by `nth`: 0 is the newest one, which is also meant by neither. Every
change returns the ids of what it made or touched.
"""

from __future__ import annotations

import base64
from typing import Annotated

import msgspec
from msgspec import Meta

from headrace.twin.faults import NotNegative
from headrace.twin.google.mailbox import Mailbox
from headrace.twin.message import Refused


class _Change(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="do"):
    """One change."""


class _OfMessage(_Change, frozen=True):
    """A change to one message."""

    id: str = ""
    nth: NotNegative = 0


class Deliver(_Change, frozen=True, tag="deliver"):
    """`n` messages arrive, made up, or one of these bytes: `raw` as text, `raw_base64` as any."""

    n: Annotated[int, Meta(ge=1, le=100_000)] = 1
    raw: str = ""
    raw_base64: str = ""
    labels: tuple[str, ...] = ("INBOX", "UNREAD")
    thread: str = ""
    ms: int | None = None


class Label(_OfMessage, frozen=True, kw_only=True, tag="label"):
    """Labels are put on."""

    labels: tuple[str, ...]


class Unlabel(_OfMessage, frozen=True, kw_only=True, tag="unlabel"):
    """Labels are taken off."""

    labels: tuple[str, ...]


class Trash(_OfMessage, frozen=True, tag="trash"):
    """Into the trash."""


class Untrash(_OfMessage, frozen=True, tag="untrash"):
    """Out of the trash."""


class Spam(_OfMessage, frozen=True, tag="spam"):
    """It is spam."""


class Unspam(_OfMessage, frozen=True, tag="unspam"):
    """It is not spam."""


class Delete(_OfMessage, frozen=True, tag="delete"):
    """It is gone for good."""


class Draft(_Change, frozen=True, tag="draft"):
    """A draft is begun."""

    raw: str = ""


class EditDraft(_Change, frozen=True, tag="edit_draft"):
    """A draft is edited; without an id the latest."""

    id: str = ""
    raw: str = ""


class SendDraft(_Change, frozen=True, tag="send_draft"):
    """A draft is sent; without an id the latest."""

    id: str = ""


class AddAlias(_Change, frozen=True, tag="alias"):
    """The owner may send from another address, too."""

    address: str
    name: str = ""


class CreateLabel(_Change, frozen=True, tag="create_label"):
    """A label of the owner's own."""

    name: str


class ExpireHistory(_Change, frozen=True, tag="expire_history"):
    """Every historyId given out so far becomes too old."""


MailChange = (
    Deliver
    | Label
    | Unlabel
    | Trash
    | Untrash
    | Spam
    | Unspam
    | Delete
    | Draft
    | EditDraft
    | SendDraft
    | AddAlias
    | CreateLabel
    | ExpireHistory
)


def change_mail(box: Mailbox, change: MailChange) -> list[str]:
    """Make it happen. Raises Refused (404, 400) if it cannot."""
    match change:
        case Deliver():
            return _deliver(box, change)
        case Draft(raw):
            return [box.draft(raw.encode() or None)]
        case EditDraft(name, raw):
            return [box.edit_draft(name or _latest_draft(box), raw.encode() or None)]
        case SendDraft(name):
            return [box.send_draft(name or _latest_draft(box))]
        case AddAlias(address, name):
            box.alias(address, name)
            return [address]
        case CreateLabel(name):
            return [box.create_label(name)]
        case ExpireHistory():
            box.expire_history()
            return []
    name = change.id or box.nth(change.nth)
    match change:
        case Label():
            box.label(name, change.labels)
        case Unlabel():
            box.unlabel(name, change.labels)
        case Trash():
            box.trash(name)
        case Untrash():
            box.untrash(name)
        case Spam():
            box.spam(name)
        case Unspam():
            box.unspam(name)
        case Delete():
            box.delete(name)
    return [name]


def _deliver(box: Mailbox, change: Deliver) -> list[str]:
    try:
        raw = base64.b64decode(change.raw_base64) or change.raw.encode() or None
    except ValueError:
        raise Refused(400, "raw_base64 is not base64.") from None
    return [
        box.deliver(raw, labels=change.labels, thread=change.thread, ms=change.ms)
        for _ in range(change.n)
    ]


def _latest_draft(box: Mailbox) -> str:
    if not box.drafts:
        raise Refused(404, "There is no draft.")
    return list(box.drafts)[-1]
