"""Mending a dead letter: a person gives the bytes that should have come, and they are processed.

What was received stays as it is. The mended bytes are a version of the record of their own, which
says what it mends, in a batch whose job is "mend": a replay meets them like any other, and the next
version that the source sends comes after them. See docs/decisions/0034.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from headrace.engine.origin import context
from headrace.engine.redrive import Retried, attempt, is_superseded, land, land_again, made_of
from headrace.errors import BadInput, Skip
from headrace.plugins import stages
from headrace.provider import Record
from headrace.stage import RawEvent
from headrace.store.database import Connection, Database
from headrace.store.landing import content_hash
from headrace.store.sql import query

MOST_BYTES = 64 << 20


def mend(
    database: Database,
    tenant: str,
    user: str | None,
    number: int,
    raw: bytes,
    *,
    by: str | None = None,
) -> Retried:
    """Process an open dead letter with these bytes in the place of its own.

    Where they are refused as well, the letter stays open with the new reason, and nothing else is
    changed. Raises BadInput when there is no such open letter, or it has no bytes that could be
    mended, or the source has sent the record anew since.
    """
    if len(raw) > MOST_BYTES:
        raise BadInput("These bytes are too many.", hint=f"At most {MOST_BYTES:,} can be mended.")
    keys = {"tenant": tenant, "user": user, "number": number}
    return attempt(database, keys, partial(_process, raw=raw), by=by, mended=raw)


def _process(connection: Connection, letter: dict[str, Any], *, raw: bytes) -> str:
    number = letter["dead_letter_id"]
    if letter["level"] != "record":
        raise BadInput(
            f"Dead letter {number} is of a whole {letter['level']}, which has no bytes to mend.",
            hint="Mend what its reason names, then retry it.",
        )
    known = letter["source_id"]
    if known is not None and is_superseded(connection, letter, known):
        raise BadInput(
            f"The source has sent {known} anew since; that version stays.",
            hint="Retry the dead letter as it is, which ends it.",
        )
    if letter["stage"] == "landing":
        if letter["provider"] is None:
            raise Skip("Its stream is gone.", hint="Drop the dead letter.")
        return land(connection, letter, raw, mends=content_hash(letter["raw"] or b""))
    return _version(connection, letter, raw)


def _version(connection: Connection, letter: dict[str, Any], raw: bytes) -> str:
    """The next version of a record that stands as a raw event, if the stage takes it."""
    row = connection.execute(query("dead_letters", "raw_event"), letter).fetchone()
    if row is None:
        raise BadInput(
            "Its raw event is gone, and nothing is there to mend.", hint="Drop the dead letter."
        )
    one = stages().get(letter["stage"])
    if one is not None and one.takes != "batch" and RawEvent in one.reads:
        tried = RawEvent(row["source_id"], row["version"] + 1, row["occurred_at"], raw)
        origin = context(connection, row["batch_id"])
        _, bad, _ = made_of(letter)(one, [tried], origin.stream)
        if bad:
            raise Skip(bad[0].reason, hint=bad[0].hint)
    hashed = connection.execute(query("dead_letters", "sent"), letter).fetchone()
    assert hashed is not None, "it was read a moment ago"
    record = Record(row["source_id"], raw, row["occurred_at"])
    landed = land_again(connection, letter, [record], mends=hashed["sent"])
    if not landed.inserted:
        raise BadInput(
            "These are the bytes that were refused.", hint="Change what the reason names."
        )
    return f"{row['source_id']} has been mended, in batch {landed.batch_id}."
