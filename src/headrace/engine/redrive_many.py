"""Retrying many dead letters: those of one batch and stage at once, in one transaction.

What cannot be done at once is done one by one, as `redrive.again` does it. A few are retried while
somebody waits; many are a job, which goes through them leg by leg and can be seen and cancelled.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import msgspec
import psycopg

from headrace.engine import jobs
from headrace.engine.child import is_deadly
from headrace.engine.leaving import leaving
from headrace.engine.redrive import again
from headrace.engine.redrive_at_once import Round, land, run
from headrace.engine.sync import LEG_SECONDS, Outcome
from headrace.errors import BadInput
from headrace.plugins import stages
from headrace.stage import RawEvent
from headrace.store.database import Connection, Database
from headrace.store.dead_letters import Chosen, scoped
from headrace.store.jobs import JobRow, note, under_way

KIND = "dead_letter_retry"
MANY = 1000
"""From so many letters on, a retry is a job."""

_AT_ONCE = 200
"""Letters between two looks at the clock, while somebody waits."""
_AT_ONCE_IN_A_JOB = 1000

Letter = dict[str, Any]


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
        done, at = _page(database, tenant, user, open_, ended.after or 0, by, limit=_AT_ONCE)
        ended.retried += done.retried
        ended.still_open += done.still_open
        ended.after = at
        if at is None:
            break
    return ended


def leg(database: Database, job_id: str, turn: int) -> Outcome:
    """Some seconds of a job: what one durable step covers."""
    until = time.monotonic() + LEG_SECONDS
    while True:
        with database.connection() as connection:
            row = under_way(connection, job_id, turn)
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
        scope = (row["tenant_id"], plan.user, plan.chosen)
        done, at = _page(database, *scope, standing.at, plan.by, limit=_AT_ONCE_IN_A_JOB)
        standing.retried += done.retried
        standing.still_open += done.still_open
        standing.at = standing.until if at is None else at
        with database.transaction() as connection:
            kept = note(connection, job_id, turn, standing)
        if not kept:
            return Outcome("stop")
        if at is None or at >= standing.until:
            return Outcome("done")
        if leaving() or time.monotonic() >= until:
            return Outcome("more", inserted=done.retried)


def _page(
    database: Database,
    tenant: str,
    user: str | None,
    chosen: Chosen,
    after: int,
    by: str | None,
    *,
    limit: int,
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
        return (land, letter["stream_id"], letter["batch_id"])
    pure = one is not None and one.takes != "batch" and RawEvent in one.reads
    if pure and letter["version"] is not None and not is_deadly(letter["reason"]):
        return (run, letter["stage"], letter["batch_id"])
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
                done = how(connection, tenant, numbers, by)
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
