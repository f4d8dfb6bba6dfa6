"""Retrying dead letters: what was refused once is processed again, alone, and blocks nothing.

A letter of a stage runs that stage on that raw event only; a letter for a whole batch gives the
stage a new attempt at it; a letter of landing goes back to its provider as bytes.
"""

from __future__ import annotations

import asyncio
import time
from functools import partial
from typing import Any

import msgspec
import psycopg

from headrace import telemetry
from headrace.engine.chain import enqueue_stage, follow_up, undo
from headrace.engine.child import is_deadly, transform_in_child
from headrace.engine.origin import context
from headrace.engine.pure import Handled, take_away
from headrace.engine.transform import Make, transform
from headrace.errors import BadInput, HeadraceError, Skip
from headrace.plugins import provider, stages
from headrace.stage import RawEvent, Stage
from headrace.store.database import Connection, Database
from headrace.store.forget import hold
from headrace.store.projection import write_all
from headrace.store.quarantine import why_not
from headrace.store.reland import reland
from headrace.store.sql import query
from headrace.text import clean_text

_COLLISIONS = 5  # a walk that lands the same record at the same time may win this often
_WORDS = 4000  # characters of a reason


class Retried(msgspec.Struct):
    """What became of one letter: `state` is retried, or open still; `message` says it in words."""

    dead_letter_id: int
    state: str
    message: str


class Round(msgspec.Struct):
    """What became of many. `after` is where the next round begins; None when none is left."""

    retried: int = 0
    still_open: int = 0
    after: int | None = None


def retry(database: Database, tenant: str, user: str | None, number: int) -> str:
    """Retry one dead letter and say how it went. See `again`."""
    return again(database, tenant, user, number).message


def again(database: Database, tenant: str, user: str | None, number: int) -> Retried:
    """Process an open dead letter again, in one transaction with what is written of it.

    Where it fails again, the letter stays open with the new reason and one more attempt. Raises
    BadInput when the tenant (and user, if given) has no open letter of that number.
    """
    for _ in range(_COLLISIONS):
        try:
            return _again(database, {"tenant": tenant, "user": user, "number": number})
        except (psycopg.errors.UniqueViolation, psycopg.errors.DeadlockDetected):
            continue
    return _again(database, {"tenant": tenant, "user": user, "number": number})


def retry_all(
    database: Database,
    tenant: str,
    user: str | None,
    *,
    stage: str | None = None,
    stream: str | None = None,
    after: int = 0,
    seconds: float = 1.5,
) -> Round:
    """Retry open letters by number from `after` on, those of a stage or stream if named, until all
    have had their turn or the time is up."""
    until = time.monotonic() + seconds
    ended = Round()
    values = {"tenant": tenant, "user": user, "stage": stage, "stream": stream}
    while True:
        with database.connection() as connection:
            rows = connection.execute(
                query("dead_letters", "open_after"), {**values, "after": after}
            ).fetchall()
        if not rows:
            return ended
        for row in rows:
            if time.monotonic() >= until:
                ended.after = after
                return ended
            after = row["dead_letter_id"]
            _count(database, ended, tenant, user, after)


def _count(database: Database, ended: Round, tenant: str, user: str | None, number: int) -> None:
    try:
        done = again(database, tenant, user, number).state == "retried"
    except BadInput:
        return  # somebody else has retried or dropped it meanwhile
    ended.retried += done
    ended.still_open += not done


def _again(database: Database, keys: dict[str, Any]) -> Retried:
    with database.transaction() as connection:
        letter = connection.execute(query("dead_letters", "to_retry"), keys).fetchone()
        if letter is None or letter["state"] != "open":
            raise _not_open(keys["number"])
        try:
            with connection.transaction():
                said = _process(connection, letter)
        except (psycopg.OperationalError, psycopg.errors.UniqueViolation):
            raise  # nothing is known about the letter
        except Exception as error:  # noqa: BLE001 - whatever is wrong with it is its own matter
            return _still_dead(connection, keys, error)
        # Last, as landing and stages do it, so that nobody waits for one another in a circle.
        if connection.execute(query("dead_letters", "resolve"), keys).rowcount == 0:
            raise _not_open(keys["number"])
        return Retried(keys["number"], "retried", f"Dead letter {keys['number']}: {said}")


def _not_open(number: int) -> BadInput:
    return BadInput(
        f"Dead letter {number} cannot be retried.", hint="It is over already, or not yours."
    )


def _still_dead(connection: Connection, keys: dict[str, Any], error: Exception) -> Retried:
    if isinstance(error, HeadraceError):
        reason, hint = error.message, error.hint
    else:
        telemetry.bug(f"retry of dead letter {keys['number']}", error)
        reason = f"It cannot be processed: {error!r}."
        hint = "Report it; retry the dead letter once it is mended."
    # Whatever the words hold, they can be written: see `store.landing.bury`.
    reason, hint = clean_text(reason[:_WORDS]), clean_text(hint[:_WORDS])
    values = {**keys, "reason": reason, "hint": hint}
    connection.execute(query("dead_letters", "still_dead"), values)
    return Retried(keys["number"], "open", f"Dead letter {keys['number']} stays open: {reason}")


def _process(connection: Connection, letter: dict[str, Any]) -> str:
    """Do what the letter was written instead of. Raises Skip, or anything, when it fails again."""
    letter["tenant"], letter["user"] = letter["tenant_id"], letter["user_id"]
    if letter["stage"] == "landing":
        return _land(connection, letter)
    one = stages().get(letter["stage"])
    if one is None:
        raise Skip(f"There is no stage {letter['stage']} any more.", hint="Drop the dead letter.")
    if letter["version"] is None or one.takes == "batch":
        return _whole_batch(connection, one, letter)
    return _one_record(connection, one, letter)


def _one_record(connection: Connection, one: Stage, letter: dict[str, Any]) -> str:
    row = connection.execute(query("dead_letters", "raw_event"), letter).fetchone()
    if row is None:
        raise Skip("Its raw event is gone.", hint="Sync the connection again, or drop it.")
    batch_id = row.pop("batch_id")
    origin = context(connection, batch_id)
    # What has ended a worker must not end the process that answers a person.
    made: Make = (
        transform_in_child if is_deadly(letter["reason"]) else partial(transform, isolate=True)
    )
    given = [RawEvent(**row)]
    rows, bad, _ = made(one, given, origin.stream)
    if bad:
        raise Skip(bad[0].reason, hint=bad[0].hint)
    # Other versions may have been worked through since, or be just now.
    hold(connection, origin.keys(), alone=True)
    write_all(
        connection,
        one.rows,
        rows,
        tenant=origin.tenant,
        user=origin.user,
        stream_id=origin.stream_id,
        batch_id=batch_id,
        merge=True,
    )
    handled = Handled(given, rows, [], [])
    take_away(connection, one, origin, batch_id, handled, forgets=True, again=False)
    undo(connection, one, origin, batch_id)
    return f"the stage {one.name} has worked through {letter['source_id']}."


def _whole_batch(connection: Connection, one: Stage, letter: dict[str, Any]) -> str:
    batch_id = letter["batch_id"]
    connection.execute(query("dead_letters", "forget_stage_run"), letter)
    asked = connection.execute(
        query("dead_letters", "attempts_of_stage"), {**letter, "version": one.version}
    ).fetchone()
    attempt = 1 + (asked["attempts"] if asked else 0)
    enqueue_stage(connection, one, batch_id, attempt=attempt, priority="high")
    return f"the stage {one.name} has been given batch {batch_id} again."


def _land(connection: Connection, letter: dict[str, Any]) -> str:
    if letter["provider"] is None:
        raise Skip("Its stream is gone.", hint="Drop the dead letter.")
    if letter["source_id"] is not None and _is_superseded(connection, letter, letter["source_id"]):
        return f"the source has sent {letter['source_id']} anew since; that version stays."
    made = provider(letter["provider"])
    source = made(made.Config.model_validate(letter["config"]), secret=None)
    try:
        record = source.reread(letter["stream"], letter["raw"] or b"")
    finally:
        asyncio.run(source.aclose())
    if reason := why_not(record):
        raise Skip(f"PostgreSQL cannot hold it. {reason}", hint="Drop the dead letter.")
    if _is_superseded(connection, letter, record.source_id):
        return f"the source has sent {record.source_id} anew since; that version stays."
    landed = reland(
        connection,
        tenant=letter["tenant"],
        user=letter["user"],
        stream_id=letter["stream_id"],
        origin=letter["batch_id"],
        record=record,
        follow_up=follow_up(letter["content"], priority="high"),
    )
    what = "has been landed" if landed.inserted else "was there already"
    return f"{record.source_id} {what}, in batch {landed.batch_id}."


def _is_superseded(connection: Connection, letter: dict[str, Any], source_id: str) -> bool:
    newer = {**letter, "source_id": source_id, "batch_id": letter["batch_id"] or 0}
    return connection.execute(query("dead_letters", "superseded"), newer).fetchone() is not None
