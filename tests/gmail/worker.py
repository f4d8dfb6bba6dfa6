"""A process that syncs a connection once, to be killed: DATABASE TWIN CONNECTION."""

from __future__ import annotations

import asyncio
import sys

from tests.accounts import at_google, fresh, run

from headrace.store.database import Database


async def main(url: str, twin: str, connection: str) -> None:
    """One job. Fails unless it ends well."""
    database = Database(url, name="a worker").open()
    try:
        row = fresh(database, {"connection_id": connection})
        [outcome] = await run(database, at_google(twin), row)
        assert outcome.state == "done", outcome
    finally:
        database.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
