"""Taking over what a dead worker had begun, and what this one has lost sight of.

It has a thread of its own and is not in that of `Liveness`: DBOS waits for a database that is away,
and this process would fall silent meanwhile.
"""

from __future__ import annotations

import time

from headrace import telemetry
from headrace.crashpoints import mark
from headrace.engine import private
from headrace.engine.queues import wake
from headrace.store.database import Database

ORPHAN_SECONDS = 5.0
"""Between a workflow's being taken from the queue and its running here lie milliseconds."""

_LEFT = """
SELECT s.workflow_uuid, s.executor_id FROM dbos.workflow_status s
LEFT JOIN headrace.workers w ON w.executor_id = s.executor_id
WHERE s.status = 'PENDING' AND (w.dead_at IS NOT NULL OR s.executor_id = %s)
"""

# The same, asked with everything else: see `engine.dispatch`.
LEFT = """
EXISTS (SELECT FROM dbos.workflow_status s
  LEFT JOIN headrace.workers w ON w.executor_id = s.executor_id
  WHERE s.status = 'PENDING' AND (w.dead_at IS NOT NULL
    OR s.executor_id = %(me)s AND s.workflow_uuid <> ALL(%(running)s::text[])))
"""

# DBOS counts a workflow each time that it gives it to a process, before it runs there.
_GIVEN = "SELECT recovery_attempts FROM dbos.workflow_status WHERE workflow_uuid = %s"


def deaths(database: Database, workflow_id: str) -> int:
    """How many processes have had this workflow and did not come to its end, whatever ended them
    (rule G15)."""
    with database.connection() as connection:
        row = connection.execute(_GIVEN, [workflow_id]).fetchone()
    return 0 if row is None else max(0, row["recovery_attempts"] - 1)


class Recovery:
    """Looks for work that is under way in name only, and puts it on its queue again. Called when
    somebody has died, and every second while the tables say that something is left."""

    def __init__(self, database: Database, executor_id: str) -> None:
        self._database = database
        self._me = executor_id
        self._lost: dict[str, float] = {}
        self._looked = 0.0

    def look(self) -> None:
        """Take over once. Asked anew until nothing is left: DBOS passes over what it fails on."""
        with self._database.connection() as connection:
            rows = connection.execute(_LEFT, [self._me]).fetchall()
        dead = sorted({row["executor_id"] for row in rows} - {self._me})
        for who in dead:
            if found := private.recover([who]):
                self._wake()
                telemetry.takeover(who, found)
                mark("after-recover")
        mine = {row["workflow_uuid"] for row in rows if row["executor_id"] == self._me}
        self._reclaim(mine - private.running())

    def _reclaim(self, lost: set[str]) -> None:
        """Work that bears this process's name and does not run in it: the commit that took it from
        the queue was made, and its acknowledgement was lost with the connection."""
        now = time.monotonic()
        if now - self._looked > ORPHAN_SECONDS / 2:
            self._lost.clear()  # nobody called meanwhile: nothing was lost
        self._looked = now
        self._lost = {one: self._lost.get(one, now) for one in lost}
        for workflow_id, since in self._lost.items():
            if now - since > ORPHAN_SECONDS:
                private.requeue(workflow_id, self._me)
                self._wake()
                telemetry.takeover(self._me, 1)

    def _wake(self) -> None:
        with self._database.connection() as connection:
            wake(connection)
