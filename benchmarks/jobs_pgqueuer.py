"""PgQueuer, with asyncpg: run by the peers' environment, as benchmarks.jobs_headrace is."""

from __future__ import annotations

import asyncio
import signal
import struct
import time

import asyncpg  # type: ignore[import-not-found]
from pgqueuer import AsyncpgPoolDriver, Job, PgQueuer, Queries  # type: ignore[import-not-found]

from benchmarks.jobs_measure import Notebook, arguments, feed

MANY = 1_000

given = arguments()


async def prepare(queries: Queries) -> None:
    """Its tables."""
    await queries.install()


async def work(driver: AsyncpgPoolDriver) -> None:
    """A worker, until SIGTERM."""
    notebook = Notebook(given.notes)
    queues = PgQueuer(driver)

    @queues.entrypoint("empty")  # type: ignore[untyped-decorator]
    async def empty(job: Job) -> None:
        notebook.note(*struct.unpack("d", job.payload))

    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, queues.shutdown.set)
    await queues.run(batch_size=given.places, max_concurrent_tasks=given.places * 2)


async def send(queries: Queries) -> None:
    """One at a time, or a thousand in a statement."""
    loop = asyncio.get_running_loop()

    async def enqueue(number: int) -> None:
        payload = struct.pack("d", time.time())
        await queries.enqueue(["empty"] * number, [payload] * number, [0] * number)

    async def many(number: int) -> None:
        for first in range(0, number, MANY):
            await enqueue(min(MANY, number - first))

    def told(number: int) -> None:
        asyncio.run_coroutine_threadsafe(many(number), loop).result()

    await asyncio.to_thread(feed, lambda: told(1), told)


async def main() -> None:
    """Play the role."""
    async with asyncpg.create_pool(given.url, min_size=2, max_size=10) as pool:
        driver = AsyncpgPoolDriver(pool)
        if given.role == "work":
            await work(driver)
        else:
            await {"prepare": prepare, "feed": send}[given.role](Queries(driver))


asyncio.run(main())
