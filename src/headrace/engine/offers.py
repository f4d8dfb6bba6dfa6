"""The schedule's way to jobs: straight to the queue, or through the stream, as producers do.

What is offered through the stream stands in `redis_offers` until the entry is read. What does not
come out in time, because Redis was emptied or is away, gets its job straight.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from headrace import telemetry
from headrace.engine.jobs import submit_syncs
from headrace.redis_streams import JOBS
from headrace.store import redis as store
from headrace.store.connections import ConnectionRow
from headrace.store.database import Connection, Database
from headrace.store.jobs import JobRow

if TYPE_CHECKING:  # whoever has no Redis does not wait for its library
    from headrace.redis_streams.server import Server

LOOK_SECONDS = 10.0
OVERDUE_SECONDS = 60.0

_PATIENCE_SECONDS = 2.0
_server: list[Server] = []


def through(server: Server | None) -> None:
    """From now on, ask through the stream of this server; None: not."""
    _server[:] = [] if server is None else [server]


def ask_for(
    connection: Connection, wanted: Sequence[tuple[ConnectionRow, str]], **more: Any
) -> list[JobRow]:
    """Have these connections synced, in the caller's transaction; the jobs that were made at once,
    see `submit_syncs`. Through the stream none are, and the entries are there before the commit: a
    transaction that fails has asked once more than it needed to."""
    if _server and _added(_server[0], wanted):
        store.offer(connection, wanted)
        return []
    return submit_syncs(connection, wanted, **more)


def overdue(database: Database, seconds: float = OVERDUE_SECONDS) -> int:
    """Make the jobs of what was offered and has not come out of the stream; how many."""
    with database.transaction() as connection:
        wanted = store.overdue(connection, seconds)
        if wanted:
            submit_syncs(connection, wanted)
    if wanted:
        telemetry.redis_late(len(wanted))
    return len(wanted)


def _added(server: Server, wanted: Sequence[tuple[ConnectionRow, str]]) -> bool:
    from headrace.redis_streams.server import AWAY

    try:
        with server.client(patience=_PATIENCE_SECONDS) as client, client.pipeline() as pipe:
            for row, kind in wanted:
                pipe.xadd(JOBS, _entry(row, kind))
            pipe.execute()
    except AWAY:
        return False  # that it is away is said at the door
    return True


def _entry(row: ConnectionRow, kind: str) -> Any:
    payload = {
        "tenantId": row["tenant_id"],
        "userId": row["user_id"],
        "connectionId": row["connection_id"],
        "scheduled": True,
    }
    return {"type": kind, "payload": json.dumps(payload)}
