"""A mailbox and everything that can happen to it; every change is in its history."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from headrace.twin.google.clock import Clock
from headrace.twin.google.corpus import corpus
from headrace.twin.google.history import History
from headrace.twin.google.letters import compose
from headrace.twin.google.mail import SYSTEM_LABELS, Mail, mail_id
from headrace.twin.message import Refused

_INBOX = ("INBOX", "UNREAD")


@dataclass(slots=True)
class Alias:
    """An address that the owner sends from."""

    address: str
    name: str = ""
    primary: bool = False


class Mailbox:
    """The live messages by id and by age. Methods that change it raise Refused (404, 400)."""

    def __init__(
        self, email: str, clock: Clock, *, seed: int, messages: int, history_start: int
    ) -> None:
        self.email = email
        self.history = History(history_start)
        self.labels = {name: name for name in SYSTEM_LABELS}
        self.labels |= {"Label_1": "Receipts", "Label_2": "Travel"}
        self.drafts: dict[str, str] = {}
        self.aliases = [Alias(email, primary=True)]
        self._clock = clock
        self._seed = seed
        self._made = messages
        self._mails = {mail.id: mail for mail in corpus(email, seed, messages, history_start)}
        self._order = [mail.key for mail in self._mails.values()]
        for mail in self._mails.values():
            if "DRAFT" in mail.labels:
                self.drafts[_draft_id(mail.id)] = mail.id

    def __len__(self) -> int:
        return len(self._mails)

    def __iter__(self) -> Iterator[Mail]:
        return iter(self._mails.values())

    def get(self, name: str) -> Mail | None:
        """A live message."""
        return self._mails.get(name)

    def newest_first(self, before: tuple[int, str] | None = None) -> Iterator[Mail]:
        """All messages, or those that come after one with this key on the way down."""
        stop = len(self._order) if before is None else bisect_left(self._order, before)
        for place in range(stop - 1, -1, -1):
            yield self._mails[self._order[place][1]]

    def nth(self, place: int) -> str:
        """The id of the n-th newest message, from 0."""
        if place >= len(self._order):
            raise Refused(404, f"There are only {len(self._order)} messages.")
        return self._order[-1 - place][1]

    # --- what happens -------------------------------------------------------------------------

    def deliver(
        self,
        raw: bytes | None = None,
        *,
        labels: Iterable[str] = _INBOX,
        thread: str = "",
        ms: int | None = None,
    ) -> str:
        """A message arrives, now unless `ms` says otherwise; made up without `raw`."""
        return self._add(raw, frozenset(labels), thread, ms).id

    def label(self, name: str, labels: Iterable[str]) -> None:
        """Labels are put on a message; those it has already are no change."""
        self._known(labels)
        self._relabel(name, add=labels)

    def unlabel(self, name: str, labels: Iterable[str]) -> None:
        """Labels are taken off a message."""
        self._relabel(name, remove=labels)

    def trash(self, name: str) -> None:
        """A message goes to the trash, which is a label."""
        self._relabel(name, add=["TRASH"], remove=["INBOX", "SPAM"])

    def untrash(self, name: str) -> None:
        """A message comes back from the trash, though not into the inbox."""
        self._relabel(name, remove=["TRASH"])

    def spam(self, name: str) -> None:
        """A message is found to be spam."""
        self._relabel(name, add=["SPAM"], remove=["INBOX"])

    def unspam(self, name: str) -> None:
        """A message is found not to be spam."""
        self._relabel(name, add=["INBOX"], remove=["SPAM"])

    def delete(self, name: str) -> None:
        """A message is gone for good, and with it the draft that it may be."""
        mail = self._need(name)
        del self._mails[name]
        del self._order[bisect_left(self._order, mail.key)]
        for draft in [draft for draft, message in self.drafts.items() if message == name]:
            del self.drafts[draft]
        self.history.write("messageDeleted", mail)

    def draft(self, raw: bytes | None = None) -> str:
        """A draft is begun; returns its own id, which is not its message's."""
        mail = self._add(raw, frozenset({"DRAFT"}), "", None)
        draft = _draft_id(mail.id)
        self.drafts[draft] = mail.id
        return draft

    def edit_draft(self, draft: str, raw: bytes | None = None) -> str:
        """A draft is edited: the message is another one with another id, which is returned."""
        old = self._need(self._message_of(draft))
        self.delete(old.id)
        mail = self._add(raw, frozenset({"DRAFT"}), old.thread, None)
        self.drafts[draft] = mail.id
        return mail.id

    def send_draft(self, draft: str) -> str:
        """A draft is sent: its message goes, and another one with the same bytes is in Sent."""
        old = self._need(self._message_of(draft))
        self.delete(old.id)
        return self._add(old.content, frozenset({"SENT"}), old.thread, None).id

    def alias(self, address: str, name: str = "") -> None:
        """The owner may send from another address, too."""
        self.aliases.append(Alias(address, name))

    def create_label(self, name: str) -> str:
        """A label of the owner's own; returns its id."""
        made = f"Label_{len(self.labels) - len(SYSTEM_LABELS) + 1}"
        self.labels[made] = name
        return made

    def expire_history(self) -> None:
        """Every historyId given out so far becomes too old."""
        self.history.expire()

    def truth(self) -> dict[str, dict[str, Any]]:
        """All live messages, spam and trash as well. 100,000 of them take seconds."""
        return {
            mail.id: {
                "labelIds": mail.label_ids,
                "threadId": mail.thread,
                "historyId": str(mail.history),
                "sha256": sha256(mail.content).hexdigest(),
            }
            for mail in self
        }

    # --- how ----------------------------------------------------------------------------------

    def _add(self, raw: bytes | None, labels: frozenset[str], thread: str, ms: int | None) -> Mail:
        self._known(labels)
        when = self._clock.now_ms() if ms is None else ms
        number, self._made = self._made, self._made + 1
        if raw is None:
            sent = bool(labels & {"SENT", "DRAFT"})
            raw = compose(self.email, self._seed, number, when, first=number, sent=sent)
        name = mail_id(f"{self.email} {self._seed}", number, when)
        while name in self._mails:
            name = f"{int(name, 16) + 1:016x}"
        mail = Mail(name, thread or name, when, labels, 0, raw)
        self.history.write("messageAdded", mail)
        self._mails[name] = mail
        insort(self._order, mail.key)
        return mail

    def _relabel(self, name: str, *, add: Iterable[str] = (), remove: Iterable[str] = ()) -> None:
        mail = self._need(name)
        if added := set(add) - mail.labels:
            mail.labels |= added
            self.history.write("labelAdded", mail, tuple(added))
        if removed := set(remove) & mail.labels:
            mail.labels -= removed
            self.history.write("labelRemoved", mail, tuple(removed))

    def _known(self, labels: Iterable[str]) -> None:
        for label in labels:
            if label not in self.labels:
                raise Refused(400, f"There is no label {label}.")

    def _need(self, name: str) -> Mail:
        mail = self._mails.get(name)
        if mail is None:
            raise Refused(404, f"There is no message {name}.")
        return mail

    def _message_of(self, draft: str) -> str:
        if draft not in self.drafts:
            raise Refused(404, f"There is no draft {draft}.")
        return self.drafts[draft]


def _draft_id(message: str) -> str:
    return f"r{int(message, 16) & (2**62 - 1)}"
