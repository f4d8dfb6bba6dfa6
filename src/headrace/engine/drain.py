"""Leaving in good order: what ends soon may end, and everything else goes on elsewhere at once.

A process that just went would be missed after a second, and its work taken over as a dead one's.
One that leaves puts its own work back on its queues: a walk after the commit it is at, a chain of
stages after the stage it is at, whatever still runs when the time is up then. What it does after
that counts for nothing: the checkpoints and the engine fence it, as they do the dead.
"""

from __future__ import annotations

import time

import psycopg
from dbos import DBOS

from headrace import telemetry
from headrace.crashpoints import mark
from headrace.engine import private
from headrace.engine.leaving import begin, leaving, now
from headrace.engine.line import open_line
from headrace.engine.queues import is_stage, wake
from headrace.plugins import stages
from headrace.store.database import Database

COMMIT_SECONDS = 1.0
"""What a walk has for the page that is on its way and the commit after it, and a stage that stands
apart for whatever it is at: it commits as it goes."""
_LOOK_SECONDS = 0.02

# One statement for all, and not the engine's own way of recovery: that counts a death each time.
_HAND_OVER = """
UPDATE dbos.workflow_status
SET status = 'ENQUEUED', owner_xid = NULL, started_at_epoch_ms = NULL,
  recovery_attempts = greatest(recovery_attempts - 1, 0),
  updated_at = (extract(epoch FROM clock_timestamp()) * 1000)::bigint
WHERE executor_id = %(me)s AND status = 'PENDING' AND queue_name IS NOT NULL
  AND (%(all)s OR workflow_uuid = ANY(%(ids)s::text[]))
"""


class PassedOn(BaseException):
    """A workflow stops here and goes on in another process. Not an Exception: the engine would
    write it down as the workflow's end."""


def pass_on() -> None:
    """Between two steps of a workflow: raises PassedOn where this process leaves."""
    if leaving():
        now().stopped.add(str(DBOS.workflow_id))
        raise PassedOn


def drain(database: Database, me: str, seconds: float) -> None:
    """Let end what is being run, for at most so long since `begin`, and hand over the rest. After
    this process takes no more. A PostgreSQL that is away keeps nobody: peers find out by
    themselves."""
    begin()
    handed = 0
    try:
        while True:
            over = time.monotonic() >= now().since + seconds or now().hurry.is_set()
            running = private.running()
            handed += _hand_over(database, me, _ready(running))
            if over or not any(map(_is_waited_for, running)):
                break
            now().hurry.wait(_LOOK_SECONDS)
        mark("before-hand-over")
        private.say_no_more()
        handed += _hand_over(database, me, None)
    except psycopg.Error:
        private.say_no_more()
    telemetry.left(me, handed, int((time.monotonic() - now().since) * 1000))


def _ready(running: set[str]) -> list[str]:
    """What may go on elsewhere now: what has stopped; and when its time is up, what nobody waits
    for here."""
    ready = now().stopped - running
    if time.monotonic() >= now().since + COMMIT_SECONDS:
        ready |= {one for one in running if not _is_finite(one)}
    return sorted(ready)


def _hand_over(database: Database, me: str, ids: list[str] | None) -> int:
    if ids is not None:
        if not ids:
            return 0
        now().stopped.difference_update(ids)
    # A line of its own: a pool would wait for a database that is away.
    with open_line(database, me, "drain") as connection:
        values = {"me": me, "ids": ids or [], "all": ids is None}
        handed = connection.execute(_HAND_OVER, values).rowcount
        if handed:
            wake(connection)
        return handed


def _is_waited_for(workflow_id: str) -> bool:
    return _is_finite(workflow_id) or time.monotonic() < now().since + COMMIT_SECONDS


def _is_finite(workflow_id: str) -> bool:
    """Whether it ends by itself soon: a stage, or something that follows a job. A walk does not,
    nor does a stage that stands apart."""
    if is_stage(workflow_id):
        one = stages().get(workflow_id.split(":")[1])
        return one is not None and not one.apart
    return ":" in workflow_id
