"""Which events a list is about, each with the key of its place in the list."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from headrace.twin.google.book import Book, Event
from headrace.twin.google.calendar_asks import ListEvents
from headrace.twin.google.clock import Clock
from headrace.twin.google.problem import Problem, bad_parameter
from headrace.twin.google.when import bound_named, instant, moment

Json = dict[str, Any]
Key = list[int | str]
Row = tuple[Key, Json]
_HORIZON = timedelta(days=730)
_UPDATED_AT_MOST = timedelta(days=28)
_CANCELLATIONS = 10
"""Of a deleted series so many occurrences are told as cancelled, and no more: rule C8."""


def changed_rows(book: Book, ask: ListEvents, since: int, clock: Clock) -> Iterator[Row]:
    """What has changed since then, cancelled or not, in the order it happened."""
    for event in book:
        if event.seq > since:
            for body in _told(book, event, ask, clock, cancelled=True):
                yield [event.seq, body["id"]], body


def is_ordered(ask: ListEvents) -> bool:
    """Whether `all_rows` gives them in the order of the list: that in which they were made."""
    return not (ask.single_events or ask.order_by)


def all_rows(book: Book, ask: ListEvents, clock: Clock, at: Key | None) -> Iterator[Row]:
    """What there is and the question wants; nothing needs to be from before a place in the list,
    which keeps long walks linear. Raises Problem (400, 410)."""
    updated_min = _updated_min(ask, clock)
    matches = _Window(ask)
    for event in book.since(int(at[0])) if at and is_ordered(ask) else book:
        if event.changed_ms < updated_min:
            continue
        with_cancelled = bool(ask.show_deleted or updated_min)
        is_gone = event.is_cancelled and (ask.single_events or not book.lives(event))
        if is_gone and not with_cancelled:
            continue
        for body in _told(book, event, ask, clock, cancelled=with_cancelled):
            if matches(body) and _wanted(ask, body):
                yield _key(ask, event, body), body


class _Window:
    """Whether an event is between timeMin and timeMax, both exclusive."""

    def __init__(self, ask: ListEvents) -> None:
        self._low = bound_named("timeMin", ask.time_min) if ask.time_min else None
        self._high = bound_named("timeMax", ask.time_max) if ask.time_max else None
        if self._low and self._high and self._low >= self._high:
            raise bad_parameter("timeMax", "The specified time range is empty.")

    def __call__(self, body: Json) -> bool:
        if "start" not in body or not (self._low or self._high):
            return True
        # A series may go on for ever: it is in every window after its start.
        ends_late = "recurrence" in body or not self._low
        start, end = instant(moment(body["start"])), instant(moment(body["end"]))
        return (not self._high or start < self._high) and (
            ends_late or self._low is None or end > self._low
        )


def _told(
    book: Book, event: Event, ask: ListEvents, clock: Clock, *, cancelled: bool
) -> Iterator[Json]:
    """The event itself, or with singleEvents its occurrences within two years from now."""
    if not ask.single_events:
        yield event.body
        return
    if event.series:
        # A live series tells of its exceptions itself, unless the list is of changes.
        if cancelled:
            yield event.body
        return
    if not event.repeats:
        remains = book.remains(event)
        if remains is None:
            yield event.body
        else:
            yield from islice(remains, _CANCELLATIONS)
        return
    end = datetime.fromtimestamp(clock.now(), UTC) + _HORIZON
    for body in book.instances(event, lambda one: instant(moment(one["start"])) < end):
        if body["status"] != "cancelled":
            yield body


def _wanted(ask: ListEvents, body: Json) -> bool:
    if ask.i_cal_uid and body.get("iCalUID") != ask.i_cal_uid:
        return False
    if ask.event_types and body.get("eventType") not in ask.event_types:
        return False
    if ask.q and not any(
        ask.q.lower() in str(body.get(field, "")).lower()
        for field in ("summary", "description", "location", "attendees")
    ):
        return False
    extended = body.get("extendedProperties", {})
    return all(
        extended.get(kind, {}).get(pair.partition("=")[0]) == pair.partition("=")[2]
        for kind, pairs in (
            ("private", ask.private_extended_property),
            ("shared", ask.shared_extended_property),
        )
        for pair in pairs
    )


def _key(ask: ListEvents, event: Event, body: Json) -> Key:
    if ask.order_by == "startTime":
        return [
            int(instant(moment(body["start"])).timestamp()) if "start" in body else 0,
            body["id"],
        ]
    if ask.order_by == "updated":
        return [event.changed_ms, body["id"]]
    return [event.number, body["id"]]


def _updated_min(ask: ListEvents, clock: Clock) -> float:
    if not ask.updated_min:
        return 0
    wanted = bound_named("updatedMin", ask.updated_min)
    if wanted < datetime.fromtimestamp(clock.now(), UTC) - _UPDATED_AT_MOST:
        message = "The requested minimum modification time lies too far in the past."
        where = {"location": "updatedMin", "locationType": "parameter"}
        raise Problem(410, "updatedMinTooLongAgo", message, "calendar", **where)
    return wanted.timestamp() * 1_000
