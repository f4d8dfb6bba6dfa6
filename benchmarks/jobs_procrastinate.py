"""Procrastinate: run by the peers' environment, as benchmarks.jobs_headrace is."""

from __future__ import annotations

import asyncio
import time

import procrastinate  # type: ignore[import-not-found]

from benchmarks.jobs_measure import Notebook, arguments, feed

MANY = 1_000

given = arguments()
notebook = Notebook(given.notes) if given.role == "work" else None
connector = (
    procrastinate.PsycopgConnector if given.role == "work" else procrastinate.SyncPsycopgConnector
)
app = procrastinate.App(connector=connector(conninfo=given.url))


@app.task(name="empty")  # type: ignore[untyped-decorator]
async def empty(sent: float) -> None:
    """See `Notebook`."""
    assert notebook is not None
    notebook.note(sent)


async def work() -> None:
    """A worker, until SIGTERM."""
    async with app.open_async():
        await app.run_worker_async(concurrency=given.places)


def many(number: int) -> None:
    """A thousand in a statement."""
    for first in range(0, number, MANY):
        sent = time.time()
        empty.batch_defer(*({"sent": sent} for _ in range(min(MANY, number - first))))


if given.role == "work":
    asyncio.run(work())
else:
    with app.open():
        if given.role == "prepare":
            app.schema_manager.apply_schema()
        else:
            feed(lambda: empty.defer(sent=time.time()), many)
