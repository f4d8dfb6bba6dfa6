"""What is attached to a message: fetched from where it is kept when somebody asks for it."""

from __future__ import annotations

import asyncio
import re
from typing import Any
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool

from headrace.engine.sync import Source
from headrace.errors import BadInput, NotFound
from headrace.provider import Attachment, Record
from headrace.store import connections, listings
from headrace.store.visit import Visit
from headrace.vault import Vault

READERS = 2
"""Attachments that are read at one time: each is in memory whole, and as it was sent."""
LARGEST = 100 << 20
"""Bytes of a message with all that is attached to it. Gmail takes 50 MB at most."""

_MANY = 1_000  # more than any message has

_TYPE = re.compile(r"[\w!#$&^.+-]{1,100}/[\w!#$&^.+-]{1,100}", re.ASCII)


async def attached(
    visitor: Visit, readers: asyncio.Semaphore, stream_id: int, source_id: str, index: int
) -> Attachment:
    """The attachment of that place, from 0, of a message of the caller's. Raises NotFound, BadInput
    for a message that is too large, and what its source does."""
    async with readers:
        row, raw = await run_in_threadpool(_raw_of, visitor, stream_id, source_id)
        found = await _fetch(visitor, row, raw, min(index, _MANY))
    if found is None:
        raise NotFound(
            "There is no such attachment.",
            hint="`attachments` of the message names them; what was deleted at the source is gone.",
        )
    return found


def headers(found: Attachment) -> dict[str, str]:
    """A file to keep, never a page to show: the name and the type are the sender's words."""
    type_ = found.media_type if _TYPE.fullmatch(found.media_type) else "application/octet-stream"
    named = f"attachment; filename*=UTF-8''{quote(found.name, safe='')}"
    return {"Content-Type": type_, "Content-Disposition": named}


def _raw_of(visitor: Visit, stream_id: int, source_id: str) -> tuple[Any, Record]:
    """The connection, and the record as it was landed. Raises NotFound."""
    with visitor.session() as session:
        raw = listings.raw_of(session, stream_id, source_id, LARGEST)
        row = connections.get(session, raw["connection_id"]) if raw else None
    if raw is None or row is None:
        raise NotFound("There is no such row among the interactions.", hint="Search names the ids.")
    if raw["payload"] is None:
        raise BadInput(
            f"The message is larger than {LARGEST:,} bytes.", hint="Open it where it is kept."
        )
    return row, Record(raw["source_id"], bytes(raw["payload"]))


async def _fetch(visitor: Visit, row: Any, raw: Record, number: int) -> Attachment | None:
    source = await run_in_threadpool(_source, visitor, row)
    try:
        return await source.provider.attachment(raw, number)
    finally:
        await source.aclose()


def _source(visitor: Visit, row: Any) -> Source:
    vault = Vault.from_settings(visitor.settings)
    return Source(visitor.database, visitor.settings, vault, row)
