"""An account's calendar list: which calendars it sees, and with what rights."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Literal

from headrace.twin.google.agenda import made_up
from headrace.twin.google.book import Book
from headrace.twin.google.clock import Clock
from headrace.twin.message import Refused

Role = Literal["freeBusyReader", "reader", "writer", "owner"]
_MADE_MS = 1_735_689_600_000
"""2025-01-01T00:00:00Z: when the first events of an account were made."""


@dataclass
class Entry:
    """One calendar as its account sees it. `seq` is the list's at its last change."""

    id: str
    summary: str
    role: Role
    book: Book
    seq: int = 0
    primary: bool = False
    hidden: bool = False
    deleted: bool = False
    zone: str = "Europe/Berlin"


class Calendars:
    """The list. Methods that change it raise Refused (404)."""

    def __init__(self, email: str, clock: Clock, *, seed: int, events: int) -> None:
        self.email = email
        self.seq = 0
        self.epoch = 0
        self._clock = clock
        self._salt = f"{email} {seed}"
        self._entries: dict[str, Entry] = {}
        self._add(email, email, "owner", events)
        some = events and max(2, events // 10)
        self.add("Team", "writer", events=some)
        self._add("en.usa#holiday@group.v.calendar.google.com", "Holidays", "reader", some)
        self._add("room-1@resource.calendar.google.com", "Room 1", "freeBusyReader", some)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries.values())

    def get(self, name: str) -> Entry | None:
        """A calendar that the account sees; `primary` is its own."""
        entry = self._entries.get(self.email if name in ("", "primary") else name)
        return None if entry is None or entry.deleted else entry

    def need(self, name: str = "") -> Entry:
        """The same. Raises Refused (404)."""
        entry = self.get(name)
        if entry is None:
            raise Refused(404, f"There is no calendar {name}.")
        return entry

    # --- what happens -------------------------------------------------------------------------

    def add(self, summary: str, role: Role = "owner", *, events: int = 0) -> str:
        """A calendar is made, or shared with the account; returns its id."""
        digest = blake2b(f"{self._salt} {summary} {len(self._entries)}".encode(), digest_size=16)
        name = f"c_{digest.hexdigest()}@group.calendar.google.com"
        self._add(name, summary, role, events)
        return name

    def fill(self, name: str, count: int) -> list[str]:
        """So many made-up events in a calendar; returns their ids."""
        entry = self.need(name)
        salt, start = f"{self._salt} {entry.id}", sum(1 for _ in entry.book)
        owner = self.email if entry.role == "owner" else entry.id
        return [
            entry.book.insert(made_up(f"{salt} later", start + number, owner))
            for number in range(count)
        ]

    def remove(self, name: str) -> None:
        """A calendar is deleted, or no longer shared: the account sees it no more."""
        entry = self.need(name)
        entry.deleted = True
        entry.book.expire()
        self._changed(entry)

    def hide(self, name: str, *, hidden: bool = True) -> None:
        """Its owner takes a calendar out of sight, or brings it back."""
        entry = self.need(name)
        entry.hidden = hidden
        self._changed(entry)

    def allow(self, name: str, role: Role) -> None:
        """The account may do less, or more; sync tokens of the calendar end with it."""
        entry = self.need(name)
        entry.role = role
        entry.book.expire()
        self._changed(entry)

    def expire(self, name: str = "") -> None:
        """Sync tokens stop being good: those of one calendar, or all, the list's included."""
        if name:
            self.need(name).book.expire()
            return
        self.epoch += 1
        for entry in self:
            entry.book.expire()

    def truth(self) -> dict[str, dict[str, Any]]:
        """The events of every calendar in the list, as a complete copy would have them."""
        return {
            entry.id: {event.id: event.body for event in entry.book if entry.book.lives(event)}
            for entry in self
            if not entry.deleted
        }

    # --- how ----------------------------------------------------------------------------------

    def _add(self, name: str, summary: str, role: Role, events: int) -> None:
        owner = self.email if role == "owner" else name
        salt = f"{self._salt} {name}"
        book = Book(owner, self._clock, salt)
        entry = Entry(name, summary, role, book, primary=name == self.email)
        self._entries[name] = entry
        self._changed(entry)
        for number in range(events):
            book.insert(made_up(salt, number, owner), changed_ms=_MADE_MS + number * 60_000)
        # Of every third series one occurrence is moved, and another one does not take place.
        series = [event.id for event in book if event.repeats]
        for one in series[::3]:
            book.move_instance(one, 1, 90, changed_ms=_MADE_MS)
            book.cancel_instance(one, 2, changed_ms=_MADE_MS)

    def _changed(self, entry: Entry) -> None:
        self.seq += 1
        entry.seq = self.seq
