"""Telling Redis that jobs are over: `ingestion:completions`, at least once, whenever it is back.

The row in `redis_completions` is written by the transaction that ends the job, and deleted by the
one that has told it. Dying in between tells it again: `job_id` and `turn` are the same.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from headrace import telemetry
from headrace.crashpoints import mark
from headrace.redis_streams import COMPLETIONS
from headrace.redis_streams.server import AWAY, Server
from headrace.settings import Settings
from headrace.store import redis as store
from headrace.store.database import Database

TELL_SECONDS = 1.0
BEAT_SECONDS = 60.0
_AT_ONCE = 500


class Completions:
    """What tells one Redis, in the worker that stands at it."""

    def __init__(self, database: Database, server: Server, settings: Settings) -> None:
        self._database = database
        self._server = server
        self._keep = settings.headrace_redis_keep
        self._client = server.client(patience=5.0)

    def tell(self) -> None:
        """Tell all that is to be told. While Redis is away it waits in PostgreSQL."""
        with self._database.connection() as connection:
            if not store.any_untold(connection):  # as nearly always: one statement
                return
        try:
            while self._tell_some():
                pass
        except AWAY as error:
            self._server.away("completions", error)

    def _tell_some(self) -> bool:
        with self._database.transaction() as connection:
            rows = store.untold(connection, _AT_ONCE)
            if not rows:
                return False
            with self._client.pipeline(transaction=True) as pipe:
                for row in rows:
                    if row["job_id"] is not None:
                        fields: Any = told(row)
                        pipe.xadd(COMPLETIONS, fields, maxlen=self._keep, approximate=True)
                pipe.execute()
            self._server.back("completions")
            mark("completions-told")
            store.told(connection, [row["number"] for row in rows])
        return len(rows) == _AT_ONCE

    def beat(self) -> None:
        """Say that there is a Redis to be told, and forget what is too old."""
        with self._database.transaction() as connection:
            store.name_server(connection, self._server.address)
            untold = store.forget(connection)
        if untold:
            telemetry.redis_untold(untold)


def told(row: dict[str, Any]) -> dict[str, str]:
    """An entry of the stream: what ended, and how."""
    payload = {
        "tenantId": row["tenant_id"],
        "userId": row["user_id"],
        "connectionId": row["connection_id"],
        "completedAt": _moment(row["completed_at"]),
        "entries": row["entries"] or [],
        "summary": row["summary"],
        "error": row["last_error"],
        "hint": row["hint"],
    }
    return {
        "type": row["kind"],
        "job_id": row["job_id"],
        "turn": str(row["turn"]),
        "status": row["status"],
        "payload": json.dumps(
            {name: value for name, value in payload.items() if value is not None}
        ),
    }


def _moment(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
