"""Retrying many dead letters: those of one batch and stage at once, in one transaction.

What cannot be done at once is done one by one, as `redrive.again` does it. A few are retried while
somebody waits; many are a job, which goes through them leg by leg and can be seen and cancelled.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec
import psycopg
from psycopg.types.json import Jsonb

from headrace.engine import jobs
from headrace.engine.alone import is_deadly
from headrace.engine.chain import follow_up, undo
from headrace.engine.origin import context
from headrace.engine.redrive import again, code_of, reread, said_of
from headrace.engine.sync import LEG_SECONDS, Outcome
from headrace.engine.transform import transform
from headrace.errors import BadInput
from headrace.plugins import stages
from headrace.provider import Record
from headrace.stage import RawEvent
from headrace.store.database import Connection, Database
from headrace.store.dead_letters import Chosen, entry, scoped
from headrace.store.jobs import JobRow
from headrace.store.projection import write_all
from headrace.store.reland import reland
from headrace.store.sql import query

KIND = "dead_letter_retry"
MANY = 1000
"""From so many letters on, a retry is a job."""

_AT_ONCE = 200

Letter = dict[str, Any]


class Round(msgspec.Struct):
    """What became of many. `after` is where the next round begins; None when none is left."""

    retried: int = 0
    still_open: int = 0
    after: int | None = None


class Standing(msgspec.Struct):
    """How far a job is, kept in its `summary`: letters `retried` and `still_open`, `of` how many
    there were when it began, the last of them `until`; it is through with those up to `at`."""

    of: int
    until: int
    at: int = 0
    retried: int = 0
    still_open: int = 0


class _Plan(msgspec.Struct, kw_only=True):
    chosen: Chosen
    user: str | None = None
    by: str | None = None


def submit(
    connection: Connection,
    tenant: str,
    user: str,
    chosen: Chosen,
    *,
    of_user: str | None = None,
    by: str | None = None,
) -> JobRow:
    """Make the job that retries the open letters chosen, of `of_user` only where that is named."""
    open_ = msgspec.structs.replace(chosen, state="open")
    payload = msgspec.to_builtins(_Plan(chosen=open_, user=of_user, by=by))
    made, _ = jobs.submit(connection, tenant=tenant, user=user, kind=KIND, payload=payload)
    return made


def retry_all(
    database: Database,
    tenant: str,
    user: str | None,
    chosen: Chosen | None = None,
    *,
    after: int = 0,
    seconds: float = 1.5,
    by: str | None = None,
) -> Round:
    """Retry the open letters chosen by number from `after` on, until all have had their turn or the
    time is up."""
    until = time.monotonic() + seconds
    ended = Round(after=after)
    open_ = msgspec.structs.replace(chosen or Chosen(), state="open")
    while time.monotonic() < until:
        done, at = _page(database, tenant, user, open_, ended.after or 0, by)
        ended.retried += done.retried
        ended.still_open += done.still_open
        ended.after = at
        if at is None:
            break
    return ended


def leg(database: Database, job_id: str, turn: int) -> Outcome:
    """Some seconds of a job: what one durable step covers."""
    until = time.monotonic() + LEG_SECONDS
    asked = {"job_id": job_id, "turn": turn}
    while True:
        with database.connection() as connection:
            row = connection.execute(query("replay", "turn"), asked).fetchone()
            if row is None:
                return Outcome("stop")
            plan = msgspec.convert(row["payload"], _Plan)
            values = plan.chosen.values(row["tenant_id"], plan.user)
            if row["summary"]:
                standing = msgspec.convert(row["summary"], Standing)
            else:
                found = connection.execute(scoped("how_many"), values).fetchone()
                assert found is not None, "an aggregate always answers"
                standing = Standing(found["letters"], found["until"])
        done, at = _page(
            database, row["tenant_id"], plan.user, plan.chosen, standing.at, plan.by, 1000
        )
        standing.retried += done.retried
        standing.still_open += done.still_open
        standing.at = standing.until if at is None else at
        with database.transaction() as connection:
            noted = {**asked, "summary": Jsonb(msgspec.to_builtins(standing))}
            kept = connection.execute(query("replay", "note"), noted).rowcount
        if not kept:
            return Outcome("stop")
        if at is None or at >= standing.until:
            return Outcome("done")
        if time.monotonic() >= until:
            return Outcome("more", inserted=done.retried)


def _page(
    database: Database,
    tenant: str,
    user: str | None,
    chosen: Chosen,
    after: int,
    by: str | None,
    limit: int = _AT_ONCE,
) -> tuple[Round, int | None]:
    """Retry the next few. Returns what became of them, and where they end: None for the last."""
    values = {**chosen.values(tenant, user), "after": after, "limit": limit}
    with database.connection() as connection:
        rows = connection.execute(scoped("open_after"), values).fetchall()
    ended = Round()
    groups: dict[tuple[Any, ...], list[Letter]] = defaultdict(list)
    for row in rows:
        groups[_group(row)].append(row)
    for (how, *_), letters in groups.items():
        _retry(database, tenant, user, how, letters, by, ended)
    return ended, rows[-1]["dead_letter_id"] if len(rows) == limit else None


def _group(letter: Letter) -> tuple[Any, ...]:
    """Letters of one group are processed at once; the first says how."""
    one = stages().get(letter["stage"])
    if letter["stage"] == "landing" and letter["stream_id"] is not None:
        return (_land, letter["stream_id"], letter["batch_id"])
    pure = one is not None and one.takes != "batch" and RawEvent in one.reads
    if pure and letter["version"] is not None and not is_deadly(letter["reason"]):
        return (_run, letter["stage"], letter["batch_id"])
    return (None, letter["dead_letter_id"])


def _retry(
    database: Database,
    tenant: str,
    user: str | None,
    how: Callable[..., Round] | None,
    letters: list[Letter],
    by: str | None,
    ended: Round,
) -> None:
    numbers = [letter["dead_letter_id"] for letter in letters]
    if how is not None and len(numbers) > 1:
        try:
            with database.transaction() as connection:
                done = how(connection, tenant, letters[0], numbers, by)
            ended.retried += done.retried
            ended.still_open += done.still_open
            return
        except psycopg.OperationalError as error:
            if not isinstance(error, psycopg.errors.DeadlockDetected):
                raise
        except Exception:  # noqa: BLE001, S110 - one by one it is known whose fault it is
            pass
    for number in numbers:
        try:
            retried = again(database, tenant, user, number, by=by).state == "retried"
        except BadInput:
            continue  # somebody else has retried or dropped it meanwhile
        ended.retried += retried
        ended.still_open += not retried


def _run(
    connection: Connection, tenant: str, letter: Letter, numbers: list[int], by: str | None
) -> Round:
    """Run a stage on the raw events of letters, all of one batch."""
    one = stages()[letter["stage"]]
    values = {"tenant": tenant, "numbers": numbers}
    rows = connection.execute(query("dead_letters", "many_to_retry"), values).fetchall()
    if len(rows) != len(numbers):
        raise LookupError  # some are over, or their raw events gone: each says so itself
    origin = context(connection, letter["batch_id"])
    given = [
        RawEvent(row["source_id"], row["version"], row["occurred_at"], row["payload"])
        for row in rows
    ]
    made, bad, versions = transform(one, given, origin.stream, isolate=True)
    write_all(
        connection,
        one.rows,
        made,
        tenant=origin.tenant,
        user=origin.user,
        stream_id=origin.stream_id,
        batch_id=letter["batch_id"],
        merge=True,
    )
    undo(connection, one, origin, letter["batch_id"])
    refused = {
        (said.source_id, version): (said.reason, said.hint)
        for said, version in zip(bad, versions, strict=True)
    }
    failed = {
        row["dead_letter_id"]: refused[row["source_id"], row["version"]]
        for row in rows
        if (row["source_id"], row["version"]) in refused
    }
    return _note(connection, tenant, numbers, failed, by, code_of(one.name))


def _land(
    connection: Connection, tenant: str, letter: Letter, numbers: list[int], by: str | None
) -> Round:
    """Give the bytes of letters back to their provider, all of one stream and batch."""
    values = {"tenant": tenant, "numbers": numbers}
    rows = connection.execute(query("dead_letters", "many_to_land"), values).fetchall()
    if len(rows) != len(numbers):
        raise LookupError
    fresh = [row for row in rows if not row["superseded"]]
    records: dict[str, Record] = {}
    failed: dict[int, tuple[str, str]] = {}
    read = reread(rows[0], [row["raw"] or b"" for row in fresh])
    for row, record in zip(fresh, read, strict=True):
        number = row["dead_letter_id"]
        if isinstance(record, Exception):
            failed[number] = said_of(record, number)
        elif row["source_id"] is None or record.source_id in records:
            raise LookupError  # its id is known only now: the careful way looks for newer versions
        else:
            records[record.source_id] = record
    if records:
        reland(
            connection,
            tenant=tenant,
            user=rows[0]["user_id"],
            stream_id=letter["stream_id"],
            origin=letter["batch_id"],
            records=list(records.values()),
            follow_up=follow_up(rows[0]["content"], priority="high"),
        )
    return _note(connection, tenant, numbers, failed, by, code_of("landing"))


def _note(
    connection: Connection,
    tenant: str,
    numbers: list[int],
    failed: dict[int, tuple[str, str]],
    by: str | None,
    code: str,
) -> Round:
    """Say in the letters what became of them. Last, as `redrive` does."""
    good = [number for number in numbers if number not in failed]
    say = partial(entry, by=by, code=code)
    values = {"tenant": tenant, "numbers": good, "entry": say("retried")}
    done = connection.execute(query("dead_letters", "resolve_many"), values).rowcount
    if done != len(good):
        raise LookupError  # somebody else has done one of them: their transaction stands
    if failed:
        values = {
            "tenant": tenant,
            "numbers": list(failed),
            "reasons": [reason for reason, _ in failed.values()],
            "hints": [hint for _, hint in failed.values()],
            "entry": say("failed"),
        }
        connection.execute(query("dead_letters", "many_still_dead"), values)
    return Round(len(good), len(failed))
