"""One calendar's events, and everything that can happen to them.

`seq` counts changes, `changed_ms` is when the latest was. What a sync token remembers of a calendar
is `seq` and `epoch`, which grows when older tokens stop being good.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import Any

from headrace.twin.google.agenda import event_id
from headrace.twin.google.clock import Clock, rfc3339
from headrace.twin.google.recurrence import occurrences
from headrace.twin.google.when import instant, later, mark, moment, shifted, told
from headrace.twin.message import Refused

Json = dict[str, Any]
_FIXED = ("id", "kind", "etag", "created", "updated", "htmlLink", "recurringEventId")


@dataclass(slots=True)
class Event:
    """A single event, a series or an exception of one; `body` is all that Calendar says of it.

    `number` is its place in the order of making, `seq` the calendar's at its last change.
    """

    number: int
    seq: int
    changed_ms: int
    body: Json

    @property
    def id(self) -> str:
        """Unique in its calendar."""
        return str(self.body["id"])

    @property
    def is_cancelled(self) -> bool:
        """Whether it is deleted, or an instance that does not take place."""
        return bool(self.body["status"] == "cancelled")

    @property
    def series(self) -> str:
        """The id of the series it is an exception of, or ""."""
        return str(self.body.get("recurringEventId", ""))

    @property
    def repeats(self) -> bool:
        """Whether it is a series."""
        return "recurrence" in self.body


class Book:
    """The events by id, cancelled ones too. Methods that change them raise Refused (404, 400)."""

    def __init__(self, owner: str, clock: Clock, salt: str) -> None:
        self.seq = 0
        self.epoch = 0
        self.changed_ms = 0
        self._owner = owner
        self._clock = clock
        self._salt = salt
        self._made = 0
        self._events: dict[str, Event] = {}
        self._ended: dict[str, Event] = {}

    def __iter__(self) -> Iterator[Event]:
        return iter(self._events.values())

    def since(self, number: int) -> Iterator[Event]:
        """The events from this number on, in the order of making."""
        return islice(self._events.values(), number, None)

    def get(self, name: str) -> Event | None:
        """An event, also a cancelled one."""
        return self._events.get(name)

    def need(self, name: str) -> Event:
        """A live event. Raises Refused (404)."""
        event = self._events.get(name)
        if event is None or event.is_cancelled:
            raise Refused(404, f"There is no event {name}.")
        return event

    def lives(self, event: Event) -> bool:
        """Whether a complete copy has it: a cancelled exception as long as its series lives."""
        if not event.is_cancelled:
            return True
        series = self._events.get(event.series)
        return series is not None and not series.is_cancelled

    def nth(self, place: int) -> str:
        """The id of the n-th live event in the order of making, exceptions apart."""
        found = [event.id for event in self if not event.is_cancelled and not event.series]
        if place >= len(found):
            raise Refused(404, f"There are only {len(found)} events.")
        return found[place]

    # --- what happens -------------------------------------------------------------------------

    def insert(self, fields: Json, *, changed_ms: int | None = None) -> str:
        """A new event; a series if it has `recurrence`. What is not given is made up."""
        name = str(fields.get("id") or event_id(self._salt + " new", self._made))
        if name in self._events:
            raise Refused(409, f"There is an event {name} already.")
        ms = self._clock.now_ms() if changed_ms is None else changed_ms
        person = {"email": self._owner, "self": True}
        body: Json = {
            "kind": "calendar#event",
            "status": "confirmed",
            "htmlLink": f"https://www.google.com/calendar/event?eid={name}",
            "created": rfc3339(ms // 1_000),
            "creator": person,
            "organizer": person,
            "iCalUID": f"{name}@google.com",
            "sequence": 0,
            "reminders": {"useDefault": True},
            "eventType": "default",
            **fields,
            "id": name,
        }
        for place in ("start", "end"):
            moment(body.get(place, {}))
        if "recurrence" in body:
            next(occurrences(body), None)
        self._keep(body, ms)
        return name

    def patch(self, name: str, fields: Json) -> None:
        """Some fields say something else; None takes one away."""
        if wrong := [one for one in fields if one in _FIXED]:
            raise Refused(400, f"{wrong[0]} cannot be changed.")
        body = {**self.need(name).body, **fields}
        body = {field: value for field, value in body.items() if value is not None}
        if "start" in fields or "end" in fields:
            body["sequence"] = body.get("sequence", 0) + 1
        self._keep(body)

    def shift(self, name: str, minutes: int) -> None:
        """It takes place so much later, or earlier."""
        body = self.need(name).body
        self.patch(name, {end: shifted(body[end], minutes) for end in ("start", "end")})

    def cancel(self, name: str) -> None:
        """It is deleted, with the exceptions it may have; hardly more than its id remains."""
        event = self.need(name)
        if event.series:
            self._keep(_exception(event.body))
            return
        if event.repeats:
            self._ended[name] = event
        self._keep({"kind": "calendar#event", "id": name, "status": "cancelled"})
        for exception in [one for one in self if one.series == name and not one.is_cancelled]:
            self._keep(_exception(exception.body))

    def cancel_instance(self, series: str, nth: int, *, changed_ms: int | None = None) -> str:
        """The n-th occurrence of a series (from 0) does not take place; returns its id."""
        body = self._instance(series, nth)
        self._keep(_exception(body), changed_ms)
        return str(body["id"])

    def move_instance(
        self, series: str, nth: int, minutes: int, *, changed_ms: int | None = None
    ) -> str:
        """The n-th occurrence takes place so much later; returns its id."""
        body = self._instance(series, nth)
        moved = {end: shifted(body[end], minutes) for end in ("start", "end")}
        body = {**body, **moved, "sequence": body.get("sequence", 0) + 1}
        self._keep(body, changed_ms)
        return str(body["id"])

    def expire(self) -> None:
        """Sync tokens given out so far stop being good."""
        self.epoch += 1

    # --- how ----------------------------------------------------------------------------------

    def instances(
        self, series: Event, wants: Callable[[Json], bool] | None = None
    ) -> Iterator[Json]:
        """Every occurrence of a series as an event, exceptions in place of what they replace.

        `wants` may end it early: the first occurrence it is False for is the last one looked at.
        """
        length = instant(moment(series.body["end"])) - instant(moment(series.body["start"]))
        for when in occurrences(series.body):
            body = _occurrence(series.body, when, length)
            if wants is not None and not wants(body):
                return
            exception = self._events.get(body["id"])
            yield exception.body if exception else body

    def remains(self, event: Event) -> Iterator[Json] | None:
        """The cancelled occurrences of a series that has been deleted; None if it was none."""
        series = self._ended.get(event.id)
        if series is None:
            return None
        return (_exception(body) for body in self.instances(series))

    def _instance(self, series: str, nth: int) -> Json:
        event = self.need(series)
        if not event.repeats:
            raise Refused(400, f"{series} is no series.")
        for number, body in enumerate(self.instances(event)):
            if number == nth:
                if body["status"] == "cancelled":
                    raise Refused(404, f"Occurrence {nth} of {series} is cancelled.")
                return body
        raise Refused(404, f"{series} has no occurrence {nth}.")

    def _keep(self, body: Json, changed_ms: int | None = None) -> None:
        ms = self._clock.now_ms() if changed_ms is None else changed_ms
        self.seq += 1
        self.changed_ms = max(self.changed_ms, ms)
        known = self._events.get(body["id"])
        number = known.number if known else self._made
        self._made += known is None
        body = {**body, "etag": f'"{ms * 1_000 + self.seq % 1_000}"'}
        if body["status"] != "cancelled":
            body["updated"] = rfc3339(ms / 1_000)
        self._events[body["id"]] = Event(number, self.seq, ms, body)


def _occurrence(series: Json, when: Any, length: timedelta) -> Json:
    body = {name: value for name, value in series.items() if name != "recurrence"}
    return body | {
        "id": f"{series['id']}_{mark(when)}",
        "start": told(when),
        "end": told(later(when, length)),
        "recurringEventId": series["id"],
        "originalStartTime": told(when),
    }


def _exception(body: Json) -> Json:
    """All that is left of an occurrence that does not take place."""
    kept = ("kind", "etag", "id", "recurringEventId", "originalStartTime")
    return {**{name: body[name] for name in kept}, "status": "cancelled"}
