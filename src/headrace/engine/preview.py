"""What a first sync would take, before anything is fetched (A3.18)."""

from __future__ import annotations

import asyncio

from headrace.engine.sync import Source
from headrace.provider import Estimate
from headrace.settings import Settings
from headrace.store.connections import ConnectionRow
from headrace.store.database import Database
from headrace.vault import Vault


def preview(database: Database, settings: Settings, row: ConnectionRow) -> Estimate:
    """Ask a connection's source; minutes to one decimal place. Blocks meanwhile. Raises like
    `Provider.estimate`."""

    async def ask() -> Estimate:
        source = Source(database, settings, Vault.from_settings(settings), row)
        try:
            return await source.provider.estimate()
        finally:
            await source.aclose()

    taken = asyncio.run(ask())
    return Estimate(taken.records, taken.units, max(0.1, round(taken.minutes, 1)))
