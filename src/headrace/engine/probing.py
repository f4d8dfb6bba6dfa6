"""A probe job through each queue of a running system: that work which is enqueued is done."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable

from headrace.engine.queues import QUEUES, enqueue
from headrace.store.database import Database

_POLL_SECONDS = 0.02

_BACK = """
SELECT workflow_uuid FROM dbos.workflow_status
WHERE workflow_uuid = ANY(%s) AND status = 'SUCCESS'
"""

# What nobody has taken is not left behind on a queue that nobody serves.
_WITHDRAW = """
WITH gone AS (DELETE FROM dbos.workflow_status
  WHERE workflow_uuid = ANY(%s) AND status = 'ENQUEUED' RETURNING workflow_uuid)
DELETE FROM dbos.workflow_input i USING gone WHERE i.workflow_uuid = gone.workflow_uuid
"""


def probe(
    database: Database, seconds: float, back: Callable[[str, float], None] = lambda *_: None
) -> dict[str, float | None]:
    """Send a probe through each queue. Returns after how many seconds each was back, None where it
    was not after so many; `back` is told of each as it comes. The probes are urgent, so that what
    is measured is the queue, and not what waits on it."""
    sent = {f"probe:{queue}:{uuid.uuid4().hex[:12]}": queue for queue in QUEUES}
    began = time.monotonic()
    with database.transaction() as connection:
        for name, queue in sent.items():
            enqueue(connection, "headrace.probe", name, queue=queue, priority="urgent")
    took: dict[str, float | None] = dict.fromkeys(QUEUES)
    out = set(sent)
    while out and time.monotonic() - began < seconds:
        with database.connection() as connection:
            rows = connection.execute(_BACK, [sorted(out)]).fetchall()
        for name in sorted(row["workflow_uuid"] for row in rows):
            took[sent[name]] = time.monotonic() - began
            back(sent[name], time.monotonic() - began)
            out.remove(name)
        time.sleep(_POLL_SECONDS)
    if out:
        with database.transaction() as connection:
            connection.execute(_WITHDRAW, [sorted(out)])
    return took
