"""A worker of one job, in a process that may be killed.

worker.py DATABASE BASE_URL CONNECTION JOB
"""

from __future__ import annotations

import asyncio
import sys

from headrace.engine.sync import Source, leg
from headrace.settings import Settings
from headrace.store import connections
from headrace.store.database import Database
from headrace.vault import Vault


async def work(database: Database, base_url: str, connection_id: str, job_id: str) -> None:
    """One leg of the job."""
    with database.connection() as session:
        row = connections.get(session, connection_id)
    assert row is not None
    settings = Settings(_env_file=None, github_base_url=base_url)
    source = Source(database, settings, Vault(bytes(32)), row)
    try:
        await leg(source, job_id, await source.plan())
    finally:
        await source.aclose()


if __name__ == "__main__":
    url, *rest = sys.argv[1:]
    pool = Database(url, name="github worker").open()
    asyncio.run(work(pool, *rest))
    pool.close()
