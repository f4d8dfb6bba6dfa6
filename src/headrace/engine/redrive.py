"""Retrying a dead letter: what was refused once is processed again, alone, and blocks nothing.

A letter of a stage runs that stage on that raw event only; a letter for a whole batch gives the
stage a new attempt at it; a letter of landing goes back to its provider as bytes; that of a job
takes the job up again. `redrive_many` does so with all that are chosen, `mend` with other bytes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import msgspec
import psycopg

from headrace import __version__, telemetry
from headrace.engine import jobs
from headrace.engine.chain import enqueue_again, follow_up, undo
from headrace.engine.child import is_deadly, transform_in_child
from headrace.engine.origin import context
from headrace.engine.pure import Handled, take_away
from headrace.engine.transform import Make, transform
from headrace.errors import BadInput, HeadraceError, Skip
from headrace.plugins import provider, stages
from headrace.provider import Provider, Record
from headrace.stage import RawEvent, Stage
from headrace.store.database import Connection, Database
from headrace.store.dead_letters import entry
from headrace.store.forget import hold
from headrace.store.landing import Landed
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


def again(
    database: Database, tenant: str, user: str | None, number: int, *, by: str | None = None
) -> Retried:
    """Process an open dead letter again, in one transaction with what is written of it.

    Where it fails again, the letter stays open with the new reason and one more attempt. `by` is
    who asks, for its history. Raises BadInput when the tenant (and user, if given) has no open
    letter of that number.
    """
    return attempt(database, {"tenant": tenant, "user": user, "number": number}, _process, by=by)


def attempt(
    database: Database,
    keys: dict[str, Any],
    process: Callable[[Connection, dict[str, Any]], str],
    *,
    by: str | None,
    mended: bytes | None = None,
) -> Retried:
    """Do `process` with an open letter, and write down in the same transaction what came of it."""
    for _ in range(_COLLISIONS):
        try:
            return _attempt(database, keys, process, by, mended)
        except (psycopg.errors.UniqueViolation, psycopg.errors.DeadlockDetected):
            continue
    return _attempt(database, keys, process, by, mended)


def _attempt(
    database: Database,
    keys: dict[str, Any],
    process: Callable[[Connection, dict[str, Any]], str],
    by: str | None,
    mended: bytes | None,
) -> Retried:
    with database.transaction() as connection:
        letter = connection.execute(query("dead_letters", "to_retry"), keys).fetchone()
        if letter is None or letter["state"] != "open":
            raise _not_open(keys["number"])
        letter["tenant"], letter["user"] = letter["tenant_id"], letter["user_id"]
        code = code_of(letter["stage"])
        try:
            with connection.transaction():
                said = process(connection, letter)
        except (psycopg.OperationalError, psycopg.errors.UniqueViolation):
            raise  # nothing is known about the letter
        except BadInput:
            raise  # it was not tried
        except Exception as error:  # noqa: BLE001 - whatever is wrong with it is its own matter
            failed = entry("failed" if mended is None else "mended, failed", by, code)
            return _still_dead(connection, {**keys, "entry": failed}, error)
        # Last, as landing and stages do it, so that nobody waits for one another in a circle.
        done = entry("retried" if mended is None else "mended", by, code)
        values = {**keys, "mended": mended, "entry": done}
        if connection.execute(query("dead_letters", "resolve"), values).rowcount == 0:
            raise _not_open(keys["number"])
        return Retried(keys["number"], "retried", f"Dead letter {keys['number']}: {said}")


def code_of(stage: str) -> str:
    """The code that a letter of this stage is tried with, for its history."""
    one = stages().get(stage)
    return __version__ if one is None else f"{__version__}, {stage} {one.version}"


def _not_open(number: int) -> BadInput:
    return BadInput(
        f"Dead letter {number} cannot be retried, or mended.",
        hint="It is over already, or not yours.",
    )


def _still_dead(connection: Connection, keys: dict[str, Any], error: Exception) -> Retried:
    reason, hint = said_of(error, keys["number"])
    values = {**keys, "reason": reason, "hint": hint}
    connection.execute(query("dead_letters", "still_dead"), values)
    return Retried(keys["number"], "open", f"Dead letter {keys['number']} stays open: {reason}")


def said_of(error: Exception, number: int) -> tuple[str, str]:
    """The reason and the hint of what failed again. Whatever its words hold, they can be written:
    see `store.landing.bury`."""
    if isinstance(error, HeadraceError):
        reason, hint = error.message, error.hint
    else:
        telemetry.bug(f"retry of dead letter {number}", error)
        reason = f"It cannot be processed: {error!r}."
        hint = "Report it; retry the dead letter once it is mended."
    return clean_text(reason[:_WORDS]), clean_text(hint[:_WORDS])


def _process(connection: Connection, letter: dict[str, Any]) -> str:
    """Do what the letter was written instead of. Raises Skip, or anything, when it fails again."""
    if letter["stage"] == "landing":
        return _land(connection, letter)
    if letter["level"] == "job":
        return _job(connection, letter)
    one = stages().get(letter["stage"])
    if one is None:
        raise Skip(f"There is no stage {letter['stage']} any more.", hint="Drop the dead letter.")
    if letter["version"] is None or one.takes == "batch" or RawEvent not in one.reads:
        return _whole_batch(connection, one, letter)
    return _one_record(connection, one, letter)


def made_of(letter: dict[str, Any]) -> Make:
    """How a stage makes something of the record of a letter. What has ended a worker must not end
    the process that answers a person."""
    deadly = is_deadly(letter["reason"])
    return transform_in_child if deadly else partial(transform, isolate=True)


def _one_record(connection: Connection, one: Stage, letter: dict[str, Any]) -> str:
    row = connection.execute(query("dead_letters", "raw_event"), letter).fetchone()
    if row is None:
        raise Skip("Its raw event is gone.", hint="Sync the connection again, or drop it.")
    batch_id = row.pop("batch_id")
    origin = context(connection, batch_id)
    given = [RawEvent(**row)]
    rows, bad, _ = made_of(letter)(one, given, origin.stream)
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
    enqueue_again(connection, one, batch_id, priority="high")
    return f"the stage {one.name} has been given batch {batch_id} again."


def _job(connection: Connection, letter: dict[str, Any]) -> str:
    try:
        with connection.transaction():
            row = jobs.retry(connection, letter["job_id"])
    except BadInput as error:
        raise Skip(error.message, hint=error.hint or "Drop the dead letter.") from None
    return f"the job {row['job_id']} goes on."


def _land(connection: Connection, letter: dict[str, Any]) -> str:
    if letter["provider"] is None:
        raise Skip("Its stream is gone.", hint="Drop the dead letter.")
    if letter["source_id"] is not None and is_superseded(connection, letter, letter["source_id"]):
        return f"the source has sent {letter['source_id']} anew since; that version stays."
    return land(connection, letter, letter["raw"] or b"")


def reread(letter: dict[str, Any], raws: Sequence[bytes]) -> list[Record | Exception]:
    """What the provider of a letter makes of bytes today; of each, a record or why not."""
    made = provider(letter["provider"])
    source = made(made.Config.model_validate(letter["config"]), secret=None)
    try:
        return [_reread(source, letter["stream"], raw) for raw in raws]
    finally:
        asyncio.run(source.aclose())


def _reread(source: Provider, stream: str, raw: bytes) -> Record | Exception:
    try:
        record = source.reread(stream, raw)
    except Exception as error:  # noqa: BLE001 - of one letter, which others need not know of
        return error
    if reason := why_not(record):
        return Skip(f"PostgreSQL cannot hold it. {reason}", hint="Drop the dead letter.")
    return record


def land(
    connection: Connection, letter: dict[str, Any], raw: bytes, *, mends: bytes | None = None
) -> str:
    """Give bytes to the letter's provider, and land the record that it makes of them."""
    [record] = reread(letter, [raw])
    if isinstance(record, Exception):
        raise record
    if is_superseded(connection, letter, record.source_id):
        return f"the source has sent {record.source_id} anew since; that version stays."
    landed = land_again(connection, letter, [record], mends=mends)
    what = "has been landed" if landed.inserted else "was there already"
    return f"{record.source_id} {what}, in batch {landed.batch_id}."


def land_again(
    connection: Connection,
    letter: dict[str, Any],
    records: Sequence[Record],
    *,
    mends: bytes | None = None,
) -> Landed:
    """Land records in the place of those that a letter was written for."""
    return reland(
        connection,
        tenant=letter["tenant_id"],
        user=letter["user_id"],
        stream_id=letter["stream_id"],
        origin=letter["batch_id"],
        records=records,
        follow_up=follow_up(letter["content"], priority="high"),
        mends=mends,
    )


def is_superseded(connection: Connection, letter: dict[str, Any], source_id: str) -> bool:
    """Whether the source has sent a record anew since the letter was written."""
    newer = {**letter, "source_id": source_id, "batch_id": letter["batch_id"] or 0}
    return connection.execute(query("dead_letters", "superseded"), newer).fetchone() is not None
