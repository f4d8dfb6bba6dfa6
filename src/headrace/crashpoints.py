"""Named points at which the crash suite kills the process: `HEADRACE_CRASH=before-commit:3`.

The number says at which passing; `before-commit:3:stop` freezes it there instead, by SIGSTOP.
Unset, as ever outside that suite, a point costs one comparison. `POINTS` is the whole list: a name
that is not in it is refused, so that no test waits for a point that is never passed.

`HEADRACE_CRASH_VERSION=headrace-2` has a process pretend to be of another version of the workflows,
for tests of two versions side by side.
"""

from __future__ import annotations

import os
import signal
from itertools import count
from typing import Final

POINTS: Final = {
    # Starting, in the order in which a process passes them.
    "upgraded": "our schema is migrated, the engine's is not",
    "registered": "this process is in the table of workers, and the engine is not launched",
    "launched": "the engine runs, and nobody watches over the others yet",
    "before-recover": "a dead worker's death is written down, its work not yet taken over",
    "after-recover": "its work is on the queue again",
    "before-hand-over": "this process leaves, and has not put the rest of its work back",
    # A job's turn.
    "begun": "a turn is RUNNING, and the engine has not written that step",
    "planned": "streams and checkpoints are made, and the engine has not written that step",
    "claimed": "a slice is taken under a new epoch, nothing is fetched",
    "restarted": "an expired cursor has been forgotten, nothing is fetched again",
    "before-commit": "pages are gathered, no transaction is open",
    "copied": "inside the landing transaction: rows are in, batch and checkpoint are not",
    "before-ack": "inside the landing transaction: everything is in but COMMIT",
    "acknowledged": "COMMIT has been answered, and nobody here has been told",
    "after-commit": "the walk knows of the commit",
    "between-legs": "a leg is over, and the engine has not written that step",
    "before-conclude": "everything is landed, the job is not over",
    "in-conclude": "inside the transaction that ends the turn",
    "after-conclude": "the turn is over in the tables, and the engine has not written that step",
    # Stages.
    "before-stage": "a stage is dequeued, no transaction is open",
    "in-stage": "inside the stage's transaction: its rows are in, its run is not written down",
    "after-stage": "a stage's transaction is over, and the engine has not written that step",
    "texts-embedded": "some texts of a batch have their vectors, committed, and others have not",
    "points-put": "vectors are in an index outside, and nothing is said of them in the tables",
    # Replays.
    "before-replay": "a stage is about to be run on a batch again, no transaction is open",
    "replay-noted": "how far a replay is stands in its row, and the engine has not written that",
    # Schedules.
    "fired": "inside the transaction of what is due: its jobs are made, it is due as before",
    "moved": "that transaction is over",
    # The message of a job's end.
    "before-notify": "a job is over, and its waiters have not been told",
    "after-notify": "they have been told, and the engine has not written that step",
    # Alerts.
    "in-alarm": "inside the transaction that raises and ends incidents: nobody is addressed",
    "alarmed": "that transaction is over, and nobody has been told",
    "message-claimed": "an attempt to tell a channel is written down, and not made",
    "message-sent": "a channel has been told, and that is not written down",
    # Webhooks.
    "webhook-sent": "an endpoint has answered, and nothing is written of it",
    # Redis.
    "entries-taken": "jobs of entries are committed, and the entries are not acknowledged",
    "completions-told": "ends of jobs are in the stream, and their rows not yet deleted",
}
"""Where a process can be told to die, and what is then true."""

PRETENDED: Final = os.environ.get("HEADRACE_CRASH_VERSION", "")
"""The version of the workflows that this process pretends to have; empty: its own."""

_WANTED, _NTH, _HOW, *_ = f"{os.environ.get('HEADRACE_CRASH', '')}::".split(":")
_AT = int(_NTH or 1)
_passings = count(1)

if _WANTED and _WANTED not in POINTS:
    raise ValueError(f"There is no crash point {_WANTED!r}. There are: {', '.join(POINTS)}.")


def mark(point: str) -> None:
    """Die here if this is the point and the passing that was asked for."""
    if point == _WANTED and next(_passings) == _AT:
        os.kill(os.getpid(), signal.SIGSTOP if _HOW == "stop" else signal.SIGKILL)
