"""A stage that takes the batch itself: it works outside of any transaction, and then writes."""

from __future__ import annotations

import time
from contextlib import ExitStack
from datetime import datetime
from typing import Any

from headrace.engine import anew, state
from headrace.engine.chain import Done, Ran, finish
from headrace.engine.origin import alone, context, last_run
from headrace.settings import Settings
from headrace.stage import Batch, Made, Stage
from headrace.store.database import Database
from headrace.store.forget import hold


def run_whole(
    database: Database,
    one: Stage,
    batch_id: int,
    *,
    since: datetime | None = None,
    settings: Settings | None = None,
) -> Ran:
    """Run it. See `cascade.run_stage`; `settings` are told it in the place of the process's own."""
    started = time.perf_counter()
    with database.connection() as connection:
        origin = context(connection, batch_id)
        ran = last_run(connection, origin, batch_id, one.name)
    if ran > one.version and since is None:
        return Ran(0, origin.stream.content)
    again = since is not None or ran > 0

    def read(statement: str, values: dict[str, Any]) -> list[dict[str, Any]]:
        with database.connection() as connection:
            return connection.execute(statement, values).fetchall()

    def secret() -> str | None:
        sealed, vault = origin.credential, state.current().vault
        owner = {"tenant": origin.tenant, "connection": origin.connection_id}
        return None if sealed is None else vault.open(sealed, **owner)

    with ExitStack() as held:
        batch: Batch[Any] = Batch(
            batch_id=batch_id,
            tenant=origin.tenant,
            user=origin.user,
            stream_id=origin.stream_id,
            job_id=origin.job_id,
            stream=origin.stream,
            settings=settings or state.current().settings,
            read=read,
            trusted=origin.trusted,
            secret=secret,
            hold=lambda lock: held.enter_context(database.holding(lock, origin.stream_id)),
            version=one.version,
            anew=since is not None,
        )
        made: Made[Any] = one.run(batch)
        with database.transaction() as connection:
            by_itself = alone(connection, origin, batch_id, one.name)
            hold(connection, origin.keys(), alone=by_itself or again)
            written = made.write(connection)
            done = Done(made.rows_in, written, int((time.perf_counter() - started) * 1000))
            finish(connection, one, origin, batch_id, done, made.bad, made.versions)
            if again:
                anew.settle(connection, one, origin, batch_id, made.bad)
    return Ran(written, origin.stream.content)
