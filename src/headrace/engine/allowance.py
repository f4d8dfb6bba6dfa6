"""What one account may use of its source, drawn together with every other worker (rule G11)."""

from __future__ import annotations

import asyncio

from headrace.errors import Retry
from headrace.store import allowances
from headrace.store.connections import ConnectionRow
from headrace.store.database import Database


class Allowance:
    """The allowance of a connection's account, of so many units a minute; None: it has none."""

    def __init__(self, database: Database, row: ConnectionRow, per_minute: float | None) -> None:
        self._database = database
        self._row = row
        self._per_minute = per_minute
        self._whose = (
            str(row["tenant_id"]),
            str(row["user_id"]),
            f"{row['provider']}:{row['grant_id'] or row['connection_id']}",
        )

    async def spend(self, units: int) -> None:
        """Wait until they may be used. Raises Retry where that would take long."""
        per_minute = self._per_minute
        if per_minute is None:
            return

        def take() -> tuple[bool, float]:
            with self._database.connection() as connection:
                return allowances.take(connection, *self._whose, units, per_minute)

        drawn, wait = await asyncio.to_thread(take)
        if not drawn:
            raise Retry(f"{self._row['name']} has used its allowance for now.", after=wait)
        await asyncio.sleep(wait)

    async def hold_off(self, seconds: float) -> None:
        """The source has refused this one; nobody else has to meet that."""
        if self._per_minute is None:
            return

        def hold_off() -> None:
            with self._database.connection() as connection:
                allowances.hold_off(connection, *self._whose, seconds)

        await asyncio.to_thread(hold_off)
