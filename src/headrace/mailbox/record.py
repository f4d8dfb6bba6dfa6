"""One message becomes one `Record`, or one `BadRecord`: nothing that was read is left out."""

from __future__ import annotations

from datetime import datetime

from headrace.mail.dates import parse_date
from headrace.mailbox import ics
from headrace.mailbox.head import look
from headrace.mailbox.identity import source_id
from headrace.mailbox.limits import KEPT_OF_OVERSIZE, MESSAGE_CAP, MIB
from headrace.provider import BadRecord, Record


def to_record(data: bytes, where: str, *, delivered: datetime | None = None) -> Record | BadRecord:
    """Make a record of a whole message; `where` names its place for a person.

    `occurred_at` is the Date header, else `delivered` (what the mailbox itself says): the header
    is the sender's claim, yet it is the one that all copies of a message share.
    """
    if not data.strip():
        return BadRecord(
            raw=data,
            reason=f"The message at {where} is empty.",
            hint="Nothing to do: the mailbox has a separator there with no mail behind it.",
        )
    head = look(data)
    when = parse_date(head.fields.get(b"date", b"")) or delivered
    return Record(source_id=source_id(data, head), payload=data, occurred_at=when)


def oversize(beginning: bytes, size: int, where: str, *, cap: int = MESSAGE_CAP) -> BadRecord:
    """A message larger than the cap: its beginning goes to the dead letters."""
    return BadRecord(
        raw=beginning,
        reason=(
            f"The message at {where} is {size / MIB:.1f} MiB; the most that is read is"
            f" {cap / MIB:.0f} MiB."
        ),
        hint="Its beginning is kept here. Take it out of the mailbox, or land it as a document.",
        source_id=source_id(beginning, look(beginning)),
    )


def reread(raw: bytes, stream: str) -> Record | BadRecord:
    """What the bytes of an earlier bad record are now: still bad if they were only a beginning."""
    if raw[:12].upper() == b"BEGIN:VEVENT":
        return next(ics.records(ics.cut(raw), 0, stream))
    if len(raw) == KEPT_OF_OVERSIZE:
        return BadRecord(
            raw=raw,
            reason=f"Only the beginning of this message of {stream} was kept: it was too large.",
            hint="Save it as a file of its own without its attachments, and import that.",
        )
    return to_record(raw, f"a dead letter of {stream}")
