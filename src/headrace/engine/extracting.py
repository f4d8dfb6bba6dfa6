"""The durable step of extracting contacts; see `extract`, which knows nothing of workflows."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from dbos import DBOS

from headrace.crashpoints import mark
from headrace.engine import extract, state
from headrace.engine.sync import outcome_of

KIND = extract.KIND


@DBOS.step(name="extract")
async def leg(job_id: str, tenant: str, user: str) -> dict[str, Any]:
    """Some seconds of it, or how it failed: a step's error would be final."""
    database = state.current().database
    try:
        ended = await asyncio.to_thread(extract.leg, database, job_id, tenant, user)
    except Exception as error:  # noqa: BLE001 - outcome_of knows each kind, and logs bugs
        ended = outcome_of(error, "extract")
    mark("between-legs")
    return msgspec.structs.asdict(ended)
