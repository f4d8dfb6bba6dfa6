"""What a run is held to: its deadline, its share, and that it does not end its process.

A leg on which processes end is suspected after two of them, though another one of the same process
may have been guilty. Suspects are run one at a time in a process, and counted: who is the only one
there again and again when a process ends, and lands nothing in between, is put aside (rule G15,
decision 0030).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar
from weakref import WeakKeyDictionary

import psycopg
from dbos import DBOS

from headrace import telemetry
from headrace.engine import lanes
from headrace.engine.deadline import TOO_LATE
from headrace.engine.jobs import ATTEMPTS, Run
from headrace.engine.queues import queue_of
from headrace.engine.recovery import deaths
from headrace.engine.sync import Deadly, TooLate
from headrace.store.database import Database

Done = TypeVar("Done")

DEATHS: Final = 2
"""Processes that have ended with a turn, after which it is a suspect."""

_alone: Final[WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock]] = WeakKeyDictionary()

_LEAVE_SECONDS = 2.0
"""For what is cut off to give back what it holds."""

# What has landed something since the last death does not die of what it is at: it is counted anew.
_COUNT = """
UPDATE headrace.jobs j
SET deaths = CASE WHEN newest.batch_id > coalesce(j.deaths_after, 0) THEN 1 ELSE deaths + 1 END,
    deaths_after = newest.batch_id
FROM (SELECT max(b.batch_id) AS batch_id FROM headrace.batches b
  JOIN headrace.jobs o USING (tenant_id, job_id) WHERE job_id = %(job_id)s) newest
WHERE j.job_id = %(job_id)s RETURNING deaths
"""
_CLEAR = "UPDATE headrace.jobs SET deaths = 0 WHERE job_id = %s"


async def watched(
    database: Database, job_id: str, ends: float | None, work: Callable[[], Awaitable[Done]]
) -> Done:
    """Do a part of a job's turn. Raises TooLate at the time it `ends`, even where a source does not
    answer, Deadly instead of beginning it once too often, and what the work raises."""
    with telemetry.of_job(job_id):
        return await _held(database, job_id, ends, work)


async def _held(
    database: Database, job_id: str, ends: float | None, work: Callable[[], Awaitable[Done]]
) -> Done:
    if await asyncio.to_thread(deaths, database, str(DBOS.workflow_id)) < DEATHS:
        return await _until(ends, work)
    async with _alone.setdefault(asyncio.get_running_loop(), asyncio.Lock()):
        if await asyncio.to_thread(_count, database, job_id) > ATTEMPTS - DEATHS:
            raise Deadly(
                f"{ATTEMPTS} processes have ended while they ran this job.",
                hint="Look for crashes and want of memory in their logs. It is not begun again by"
                " itself before a day is over; once it is mended, a retry begins it at once.",
            )
        try:
            return await _until(ends, work)
        finally:
            await asyncio.to_thread(_clear, database, job_id)


async def _until(ends: float | None, work: Callable[[], Awaitable[Done]]) -> Done:
    if ends is None:
        return await work()
    # Not a timeout of the work's own, which is a failure like any other.
    doing = asyncio.ensure_future(work())
    try:
        done, _ = await asyncio.wait([doing], timeout=max(0.0, ends - time.time()))
    finally:
        doing.cancel()
        if not doing.done():
            await asyncio.wait([doing], timeout=_LEAVE_SECONDS)
    if not done:
        raise TooLate(TOO_LATE[0], hint=TOO_LATE[1])
    return doing.result()


def _count(database: Database, job_id: str) -> int:
    with database.transaction() as connection:
        row = connection.execute(_COUNT, {"job_id": job_id}).fetchone()
    return int(row["deaths"]) if row else 0


def _clear(database: Database, job_id: str) -> None:
    with database.transaction() as connection:
        connection.execute(_CLEAR, [job_id])


def gives_way(database: Database, run: Run, workflow_id: str | None) -> bool:
    """Whether a turn ends between two legs though it has time: something that goes before it waits,
    or it was a suspect, and is none any more, which a new turn starts to count anew."""
    try:
        if deaths(database, str(workflow_id)) >= DEATHS:
            return True
        with database.connection() as connection:
            queue, ran = queue_of(run.kind), time.time() - run.began
            return lanes.gives_way(connection, queue, run.priority, run.lane, ran)
    except psycopg.OperationalError:
        return False
