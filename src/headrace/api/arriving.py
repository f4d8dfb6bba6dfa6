"""A body on its way in: kept on disk until it is whole, so that slow senders cost no memory."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import IO

import msgspec
from fastapi import Request
from starlette.concurrency import run_in_threadpool

_PIECE = 1 << 20
"""Bytes of it that are held in memory meanwhile."""


class Arrived(msgspec.Struct):
    """A body that is whole: `content` stands at its beginning."""

    content: IO[bytes]
    sha256: bytes


@asynccontextmanager
async def arriving(request: Request) -> AsyncIterator[Arrived]:
    """The request's body, gone again after the block. Raises what reading it does: HTTPException
    beyond the cap, ClientDisconnect."""
    digest = hashlib.sha256()
    with tempfile.SpooledTemporaryFile(max_size=_PIECE) as file:

        def keep(piece: bytes) -> None:
            digest.update(piece)
            file.write(piece)

        waiting = bytearray()
        async for piece in request.stream():
            waiting += piece
            if len(waiting) >= _PIECE:
                await run_in_threadpool(keep, bytes(waiting))
                waiting.clear()
        keep(bytes(waiting))
        file.seek(0)
        yield Arrived(file, digest.digest())
