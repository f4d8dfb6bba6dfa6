"""`/api/jobs/{id}/events`: how far a job is, told as it moves (server-sent events)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import msgspec
from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse

from headrace.api.auth import Visitor
from headrace.api.jobs import existing
from headrace.engine.progress import Progress, progress
from headrace.errors import Unavailable
from headrace.store.visit import Visit

router = APIRouter(prefix="/jobs", tags=["jobs"])

TICK_SECONDS = 0.5
PING_SECONDS = 15.0
MOST_WATCHED = 64
"""Watchers that one process serves at a time."""

_watched = 0


@router.get("/{job_id}/events", response_class=StreamingResponse)
def watch_job(visitor: Visitor, request: Request, job_id: str) -> StreamingResponse:
    """How far a job is: an event `progress` with JSON whenever that has changed, and `end` with the
    last one when it is over and worked through. Then, or when the service ends, so does this."""
    with visitor.session() as session:
        existing(session, job_id)
    if _watched >= MOST_WATCHED:
        raise Unavailable(
            "Too many jobs are watched at once.", hint="Ask again, or ask less often."
        )
    return StreamingResponse(_events(request, visitor, job_id), media_type="text/event-stream")


async def _events(request: Request, visitor: Visit, job_id: str) -> AsyncIterator[bytes]:
    global _watched

    def look() -> Progress:
        with visitor.session() as session:
            return progress(session, job_id)

    _watched += 1
    try:
        last, silent = b"", 0.0
        while not request.app.state.leaving.is_set() and not await request.is_disconnected():
            now = await asyncio.to_thread(look)
            told = msgspec.json.encode(_told(now))
            if now.settled:
                yield b"event: end\ndata: " + told + b"\n\n"
                return
            if told != last:
                yield b"event: progress\ndata: " + told + b"\n\n"
                last, silent = told, 0.0
            elif silent >= PING_SECONDS:
                yield b": still here\n\n"
                silent = 0.0
            silent += TICK_SECONDS
            await asyncio.sleep(TICK_SECONDS)
    finally:
        _watched -= 1


def _told(now: Progress) -> dict[str, object]:
    more = {"share": now.share, "seconds_left": now.seconds_left}
    return {**msgspec.to_builtins(now), **more}
