"""Cutting an iCalendar file into its events, each one a small calendar that stands alone.

The lines of an event are kept as they are. Around them go the calendar's own properties and those
time zones that the event names, also as they are, so that an event means the same without its
file. Cutting is by lines, not by understanding: an event that no parser accepts is still landed.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

import msgspec

from headrace.mail.dates import EARLIEST, LATEST
from headrace.provider import BadRecord, Record

_EDGE = re.compile(rb"^(BEGIN|END):([A-Za-z0-9-]{1,40})[ \t]*\r?$", re.MULTILINE | re.IGNORECASE)
_ZONE_NAMED = re.compile(rb'TZID="?([^":;\r\n]{1,200})')
_ZONE_DEFINED = re.compile(rb"^TZID[^:\r\n]*:([^\r\n]{1,200})", re.MULTILINE)
_FOLD = re.compile(rb"\r?\n[ \t]")
_START = re.compile(rb"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)Z?)?[ \t]*\Z")
_UNPRINTABLE = re.compile(r"[\x00-\x20\x7f-\xa0]")
_LONGEST_UID = 255
_PROPERTIES = 4096
_ZONE = 32 * 1024


class Frame(msgspec.Struct):
    """What surrounds the events of one VCALENDAR: its properties, and its time zones by name.

    Both are repeated in every record, so both are bounded: a hostile file must not multiply.
    """

    properties: bytes = b""
    zones: dict[bytes, bytes] = {}

    def add(self, properties: bytes) -> None:
        """Take over property lines, as long as there is room for all of them."""
        if len(self.properties) + len(properties) <= _PROPERTIES:
            self.properties += properties


class Calendar(msgspec.Struct):
    """A calendar file's parts: `events` as (start, end) offsets into `data`, for each the index
    into `frames` of the calendar it is in; `broken` are stretches that are no whole event;
    `others` counts components that are neither events nor time zones (VTODO, VJOURNAL).
    """

    data: bytes
    events: list[tuple[int, int, int]]
    broken: list[tuple[int, int]]
    frames: list[Frame]
    others: int = 0


def cut(data: bytes) -> Calendar:
    """Find the events. Never fails: what is not closed properly ends up in `broken`."""
    calendar = Calendar(data=data, events=[], broken=[], frames=[Frame()])
    inside = False  # a VCALENDAR
    name, start, depth = b"", 0, 0  # the component right below it that is open, if any
    at = 0  # where the calendar's own properties go on
    for edge in _EDGE.finditer(data):
        begins, what = edge[1].upper() == b"BEGIN", edge[2].upper()
        if depth and (what == b"VCALENDAR" or (begins and what == b"VEVENT")):
            calendar.broken.append((start, edge.start()))
            depth, at = 0, edge.start()
        if depth == 0 and inside:
            calendar.frames[-1].add(data[at : edge.start()])
        at = min(edge.end() + 1, len(data))
        if what == b"VCALENDAR":
            inside = begins
            calendar.frames.append(Frame())
        elif begins:
            if depth == 0:
                name, start = what, edge.start()
            depth += 1
        elif depth:
            depth -= 1
            if depth == 0:
                _close(calendar, name, start, at)
    if depth:
        calendar.broken.append((start, len(data)))
    return calendar


def _close(calendar: Calendar, name: bytes, start: int, end: int) -> None:
    if name == b"VEVENT":
        calendar.events.append((start, end, len(calendar.frames) - 1))
    elif name == b"VTIMEZONE":
        block = calendar.data[start:end]
        zone = _ZONE_DEFINED.search(block)
        if zone is not None and len(block) <= _ZONE:
            calendar.frames[-1].zones.setdefault(zone[1].strip(), block)
    else:
        calendar.others += 1


def records(calendar: Calendar, first: int, where: str) -> Iterator[Record | BadRecord]:
    """The records from number `first` on: the events in their order, then what is broken."""
    for start, end, frame in calendar.events[first:]:
        yield _event(calendar.data[start:end], calendar.frames[frame])
    for start, end in calendar.broken[max(0, first - len(calendar.events)) :]:
        yield BadRecord(
            raw=calendar.data[start:end],
            reason=f"The event at byte {start:,} of {where} is not closed.",
            hint="The file may be cut short: export the calendar again.",
            source_id=f"sha256:{hashlib.sha256(calendar.data[start:end]).hexdigest()[:32]}",
        )


def _event(event: bytes, frame: Frame) -> Record:
    named = {name.strip() for name in _ZONE_NAMED.findall(event)}
    zones = b"".join(block for name, block in frame.zones.items() if name in named)
    payload = b"BEGIN:VCALENDAR\r\n%s%s%sEND:VCALENDAR\r\n" % (
        _line_ended(frame.properties.strip(b"\r\n")),
        _line_ended(zones),
        _line_ended(event),
    )
    return Record(source_id=identity(event), payload=payload, occurred_at=starts(event))


def identity(event: bytes) -> str:
    """`UID`, or `UID/RECURRENCE-ID` for a changed occurrence, or a digest where there is no UID."""
    uid = _UNPRINTABLE.sub("", _property(event, b"UID")[1].decode("utf-8", "replace"))
    if not uid or len(uid) > _LONGEST_UID:
        return f"sha256:{hashlib.sha256(uid.encode() or event).hexdigest()[:32]}"
    instance = _property(event, b"RECURRENCE-ID")[1].decode("ascii", "replace")[:40]
    return f"{uid}/{_UNPRINTABLE.sub('', instance)}" if instance else uid


def starts(event: bytes) -> datetime | None:
    """When an event begins, in UTC. A time in a zone of the calendar's own making, a time without
    a zone and a whole day are taken as if they were UTC: landing needs no more than an order.
    """
    parameters, value = _property(event, b"DTSTART")
    found = _START.match(value)
    if found is None:
        return None
    zone: tzinfo = UTC
    named = _ZONE_NAMED.search(parameters)
    if named is not None:
        try:
            zone = ZoneInfo(named[1].decode("ascii").strip())
        except (ValueError, KeyError, OSError):
            zone = UTC
    try:
        year, month, day, hour, minute, second = (int(part or 0) for part in found.groups())
        local = datetime(year, month, day, hour, minute, min(second, 59), tzinfo=zone)
        when = local.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return when if EARLIEST <= when < LATEST else None


def _property(event: bytes, name: bytes) -> tuple[bytes, bytes]:
    """Parameters and value of a property of the event itself (not of an alarm in it), unfolded."""
    own = event.upper().find(b"\nBEGIN:")
    found = re.search(
        rb"^" + name + rb"(;(?:[^:\r\n\"]|\"[^\"\r\n]*\")*)?:([^\r\n]*(?:\r?\n[ \t][^\r\n]*)*)",
        event if own < 0 else event[: own + 1],
        re.MULTILINE | re.IGNORECASE,
    )
    return (found[1] or b"", _FOLD.sub(b"", found[2]).strip()) if found else (b"", b"")


def _line_ended(data: bytes) -> bytes:
    return data if not data or data.endswith(b"\n") else data + b"\r\n"
