"""Walking the events of a calendar file, on disk as it is or inside an archive."""

from __future__ import annotations

import itertools

import msgspec

from headrace.errors import BadInput
from headrace.mailbox import ics
from headrace.mailbox.files import explained
from headrace.mailbox.limits import CALENDAR_CAP, CALENDAR_EVENTS, MIB
from headrace.mailbox.packed import Packed
from headrace.mailbox.walk import RESTARTED, Filling, Source, Walk, damaged, read_cursor
from headrace.provider import JSON, Page


class EventsCursor(msgspec.Struct, forbid_unknown_fields=True):
    """`at` is the number of the next event, `of` identifies the file it is counted in."""

    at: int
    of: str
    done: bool = False


class Events(Walk):
    """A calendar file. It is read whole (at most 64 MiB) and kept until its last page is out."""

    def __init__(self, source: Source, packing: Packed) -> None:
        self._source = source
        self._packing = packing
        self._calendar: ics.Calendar | None = None
        self._of = ""
        self._damage = ""

    def page(self, cursor: JSON) -> Page:
        """The page at `cursor`; on an unchanged file that was read to its end, one stat."""
        known = read_cursor(cursor, EventsCursor)
        notes: dict[str, str] = {}
        of = self._packing.identity()
        if known is not None and known.of != of:
            known, notes = None, {"restarted": RESTARTED}
        if known is not None and known.done:
            return Page(records=[], cursor=cursor, more=False)
        calendar = self._load(of)
        at = known.at if known is not None else 0
        filling = Filling()
        for item in ics.records(calendar, at, self._source.name):
            filling.add(item)
            at += 1
            if filling.full:
                break
        total = len(calendar.events) + len(calendar.broken)
        more = at < total
        if not more:
            if self._damage:
                filling.add(damaged(self._source, len(calendar.data), self._damage))
            if calendar.others:
                notes["ignored"] = f"{calendar.others} components that are no events"
            self.close()
        state = EventsCursor(at, of, done=not more)
        return filling.page(state, more=more, notes=notes, left=total - at)

    def _load(self, of: str) -> ics.Calendar:
        if self._calendar is None or self._of != of:
            with explained(self._source.path):
                stream = self._packing.open()
                blocks = iter(lambda: stream.read(MIB), b"")
                data = b"".join(itertools.islice(blocks, CALENDAR_CAP // MIB + 2))
                self._damage = stream.damage
                stream.close()
            calendar = ics.cut(data) if len(data) <= CALENDAR_CAP else None
            if calendar is None or len(calendar.events) > CALENDAR_EVENTS:
                raise BadInput(
                    f"The calendar {self._source.name} is larger than {CALENDAR_CAP // MIB} MiB"
                    f" or {CALENDAR_EVENTS:,} events.",
                    hint="Export it in parts, by year for example.",
                )
            self._calendar, self._of = calendar, of
        return self._calendar

    def close(self) -> None:
        """Forget the calendar."""
        self._calendar = None
