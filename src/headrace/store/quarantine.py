"""Finding the records for whose sake PostgreSQL refuses a commit, so that they alone are buried."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import psycopg

from headrace.errors import HeadraceError
from headrace.provider import BadRecord, Record
from headrace.store.landing import Gathered

REFUSED = (
    psycopg.DataError,
    psycopg.errors.CheckViolation,
    psycopg.errors.NotNullViolation,
    psycopg.errors.ProgramLimitExceeded,
    # And psycopg itself, before it comes to that: half a character, a time without a zone.
    UnicodeError,
    TypeError,
)
"""What is raised when PostgreSQL cannot hold a value, and never will."""

# A btree entry holds at most 2,704 bytes, and the key has more in it than the id.
_LONGEST_ID = 2000
_LARGEST_PAYLOAD = 512 << 20
# As the table's own constraint has it.
_FIRST, _END = datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)


def why_not(record: Record) -> str | None:
    """Why PostgreSQL cannot hold this record, or None when it can."""
    try:
        length = len(record.source_id.encode())
    except UnicodeError:
        return "Its id holds half of a character (a lone surrogate)."
    if "\0" in record.source_id:
        return "Its id holds a NUL character."
    if not 0 < length <= _LONGEST_ID:
        return f"Its id is {length} bytes long; 1 to {_LONGEST_ID} can be kept."
    if len(record.payload) > _LARGEST_PAYLOAD:
        return f"It is {len(record.payload)} bytes long; {_LARGEST_PAYLOAD} can be kept."
    if record.occurred_at is not None:
        if record.occurred_at.tzinfo is None:
            return "Its time has no time zone."
        if not _FIRST <= record.occurred_at < _END:
            return "Its time is outside the years 1 to 9999."
    return None


def quarantine(gathered: Gathered) -> Gathered:
    """The same gathering with the impossible records among the bad ones.

    Raises HeadraceError when none is found: then the refusal has another cause.
    """
    good: list[Record] = []
    bad = list(gathered.bad)
    for record in gathered.records:
        reason = why_not(record)
        if reason is None:
            good.append(record)
        else:
            hint = "Correct it at the source, or drop this dead letter."
            raw = record.payload[: 1 << 20]
            bad.append(BadRecord(raw, f"PostgreSQL cannot hold it. {reason}", hint))
    if len(bad) == len(gathered.bad):
        raise HeadraceError(
            "PostgreSQL refused a commit, and no record in it can be blamed.",
            hint="This is a bug worth reporting; what was landed before is kept.",
        )
    return msgspec.structs.replace(gathered, records=good, bad=bad)
