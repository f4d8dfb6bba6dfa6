"""What tests make happen in calendars: a JSON list of `{"do": ..., ...}`.

A calendar is named by its id, an account's own by `primary`, which is meant by none. An event is
named by `id`, or by `nth`: 0 is the first live one that was made, exceptions of series apart. Every
change returns the ids of what it made or touched.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from headrace.twin.faults import NotNegative
from headrace.twin.google.calendars import Calendars, Role


class _Change(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="do"):
    """One change."""

    calendar: str = "primary"


class _OfEvent(_Change, frozen=True):
    """A change to one event."""

    id: str = ""
    nth: NotNegative = 0


class Insert(_Change, frozen=True, tag="insert"):
    """An event as Calendar has it (`id` and the like may be left out), or `n` made-up ones."""

    event: dict[str, Any] = {}
    n: Annotated[int, Meta(ge=1, le=100_000)] = 1


class Patch(_OfEvent, frozen=True, kw_only=True, tag="patch"):
    """Some fields say something else; null takes one away."""

    event: dict[str, Any]


class Move(_OfEvent, frozen=True, tag="move"):
    """It takes place `minutes` later, or goes `to` another calendar."""

    minutes: int = 60
    to: str = ""


class Cancel(_OfEvent, frozen=True, tag="cancel"):
    """It is deleted."""


class CancelInstance(_OfEvent, frozen=True, tag="cancel_instance"):
    """An occurrence of a series does not take place."""

    occurrence: NotNegative = 0


class MoveInstance(_OfEvent, frozen=True, tag="move_instance"):
    """An occurrence of a series takes place `minutes` later."""

    occurrence: NotNegative = 0
    minutes: int = 60


class AddCalendar(_Change, frozen=True, tag="add_calendar"):
    """A calendar is made, or shared."""

    summary: str = "New"
    role: Role = "owner"
    events: NotNegative = 0


class DeleteCalendar(_Change, frozen=True, tag="delete_calendar"):
    """It is deleted for everybody."""


class Unshare(_Change, frozen=True, tag="unshare"):
    """It is no longer shared with the account."""


class Hide(_Change, frozen=True, tag="hide"):
    """It is taken out of sight."""


class Show(_Change, frozen=True, tag="show"):
    """It is brought back into sight."""


class Downgrade(_Change, frozen=True, tag="downgrade"):
    """The account may do less with it from here on."""

    role: Role = "freeBusyReader"


class ExpireSync(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="do",
                 tag="expire_sync"):  # fmt: skip
    """Sync tokens stop being good: those of `calendar`, or all of the account's."""

    calendar: str = ""


CalendarChange = (
    Insert
    | Patch
    | Move
    | Cancel
    | CancelInstance
    | MoveInstance
    | AddCalendar
    | DeleteCalendar
    | Unshare
    | Hide
    | Show
    | Downgrade
    | ExpireSync
)


def change_calendar(calendars: Calendars, change: CalendarChange) -> list[str]:
    """Make it happen. Raises Refused (404, 400) if it cannot."""
    match change:
        case AddCalendar():
            return [calendars.add(change.summary, change.role, events=change.events)]
        case DeleteCalendar() | Unshare():
            calendars.remove(change.calendar)
        case Hide() | Show():
            calendars.hide(change.calendar, hidden=isinstance(change, Hide))
        case Downgrade():
            calendars.allow(change.calendar, change.role)
        case ExpireSync():
            calendars.expire(change.calendar)
        case Insert():
            if change.event:
                return [calendars.need(change.calendar).book.insert(change.event)]
            return calendars.fill(change.calendar, change.n)
        case _:
            return [_change_event(calendars, change)]
    return [change.calendar]


def _change_event(
    calendars: Calendars, change: Patch | Move | Cancel | CancelInstance | MoveInstance
) -> str:
    book = calendars.need(change.calendar).book
    name = change.id or book.nth(change.nth)
    match change:
        case Patch():
            book.patch(name, change.event)
        case Move(to=""):
            book.shift(name, change.minutes)
        case Move():
            target = calendars.need(change.to)
            body = {**book.need(name).body, "organizer": {"email": target.id, "self": True}}
            target.book.insert(body)
            book.cancel(name)
        case Cancel():
            book.cancel(name)
        case CancelInstance():
            return book.cancel_instance(name, change.occurrence)
        case MoveInstance():
            return book.move_instance(name, change.occurrence, change.minutes)
    return name
