"""An event as one reader sees it: by their rights, and by what they asked for."""

from __future__ import annotations

from typing import Any

from headrace.twin.google.calendar_asks import GetEvent
from headrace.twin.google.calendars import Entry
from headrace.twin.google.when import in_zone, zone_named

Json = dict[str, Any]
_TIMES_ONLY = (
    "kind", "etag", "id", "status", "start", "end", "recurrence", "recurringEventId",
    "originalStartTime", "updated",
)  # fmt: skip


def view(entry: Entry, email: str, body: Json, ask: GetEvent) -> Json:
    """The event to be sent. Raises Problem (400) for a zone that there is not."""
    if body["status"] == "cancelled":
        return body
    if entry.role == "freeBusyReader":
        seen = {name: body[name] for name in _TIMES_ONLY if name in body}
        seen["visibility"] = "private"
    else:
        seen = dict(body)
        _name_yourself(seen, email)
        _cut_attendees(seen, ask.max_attendees)
    if ask.time_zone:
        zone = zone_named(ask.time_zone)
        for name in ("start", "end", "originalStartTime"):
            if name in seen:
                seen[name] = in_zone(seen[name], zone)
    return seen


def _name_yourself(seen: Json, email: str) -> None:
    organizer = seen["organizer"]["email"]
    if "attendees" in seen:
        seen["attendees"] = [
            one
            | ({"self": True} if one["email"] == email else {})
            | ({"organizer": True} if one["email"] == organizer else {})
            for one in seen["attendees"]
        ]


def _cut_attendees(seen: Json, most: int | None) -> None:
    """Too many for who asked: only the reader is left, and that others are missing is said."""
    if most is not None and len(seen.get("attendees", ())) > most:
        seen["attendees"] = [one for one in seen["attendees"] if one.get("self")]
        seen["attendeesOmitted"] = True
