"""Events of Google Calendar as records: their ids, their order, and what cannot be one."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import msgspec

from headrace.mail.google_event import begins_at
from headrace.provider import BadRecord, Record

TIMES_ONLY, TRUNCATED, WHOLE, CANCELLED, GONE = range(5)
"""How much a copy says. Of one version, a copy that says less never takes the place of one that
says more: an account that may see nothing but times any more keeps what it had been shown, and
guests that were left out of a copy are not lost (rules C4, C10)."""

_NUMBER = re.compile(r'"?(\d{1,20})"?')


class Listed(msgspec.Struct, rename="camel"):
    """What is read of a page of any list; the items as they were sent."""

    items: list[msgspec.Raw] = []
    next_page_token: str | None = None
    next_sync_token: str | None = None


class Events(Listed, rename="camel"):
    """What is read of a page of events."""

    updated: str = ""
    access_role: str = ""


class Told(msgspec.Struct):
    """One event as it was told, and its record. `master` is the id of its series, if it is an
    exception of one."""

    record: Record
    cancelled: bool
    master: str | None


def read_events(page: Events) -> tuple[list[Told], list[BadRecord]]:
    """The events of a page, and what is none."""
    told: list[Told] = []
    bad: list[BadRecord] = []
    times_only = page.access_role == "freeBusyReader"
    for raw in page.items:
        payload = bytes(raw)
        event = msgspec.json.decode(payload)
        if not isinstance(event, dict) or not _is_text(event.get("id")):
            bad.append(BadRecord(payload, "This event has no id.", "Google will have to mend it."))
            continue
        cancelled = event.get("status") == "cancelled"
        master = event.get("recurringEventId")
        says = CANCELLED if cancelled else TIMES_ONLY if times_only else _says(event)
        mark = mark_of(event, page.updated, says)
        record = Record(event["id"], payload, occurred_at=begins_at(event), mark=mark)
        told.append(Told(record, cancelled, master if _is_text(master) else None))
    return told, bad


def gone(source_id: str, page: Events) -> Record:
    """A tombstone. It comes after all that a page of this moment could say of the record."""
    return Record(source_id, b"", mark=mark_of({}, page.updated, GONE), gone=True)


def mark_of(event: dict[str, Any], now: str, says: int) -> str:
    """What versions sort by: (updated, sequence, etag), with how much the copy says (rule C11).

    Of what is cancelled Google need not say when that was (rule C7): then it is `now`, when
    anything in the calendar last changed.
    """
    sequence = event.get("sequence")
    number = sequence if isinstance(sequence, int) and 0 <= sequence < 10**10 else 0
    etag = event.get("etag")
    # An etag that is no number says nothing of the order.
    found = _NUMBER.fullmatch(etag) if isinstance(etag, str) else None
    tag = f"{int(found[1]):020}" if found else ""
    ms = _ms(event.get("updated")) or _ms(now)
    return f"{ms:015}|{says}|{number:010}|{tag}"


def _says(event: dict[str, Any]) -> int:
    return TRUNCATED if event.get("attendeesOmitted") is True else WHOLE


def _ms(text: object) -> int:
    """Unix milliseconds of an RFC 3339 time; 0 where it is none."""
    try:
        return max(0, int(datetime.fromisoformat(str(text)).timestamp() * 1000))
    except (ValueError, OverflowError):
        return 0


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value)
