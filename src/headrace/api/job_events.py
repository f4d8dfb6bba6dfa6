"""`/api/jobs/{id}/events`: how far a job is, told as it moves (server-sent events)."""

from __future__ import annotations

import msgspec
from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse

from headrace.api.auth import Visitor, still
from headrace.api.jobs import existing
from headrace.engine.progress import progress, told
from headrace.out.live import News, Watchers

router = APIRouter(prefix="/jobs", tags=["jobs"])

_watchers = Watchers("jobs", most=64, tick_seconds=0.5)


@router.get("/{job_id}/events", response_class=StreamingResponse)
def watch_job(visitor: Visitor, request: Request, job_id: str) -> StreamingResponse:
    """How far a job is: an event `progress` with JSON whenever that has changed, and `end` with the
    last one when it is over and worked through. Then, or when the service ends, so does this."""
    with visitor.session() as session:
        existing(session, job_id)

    def look() -> News:
        with still(request).session() as session:
            now = progress(session, job_id)
        text = msgspec.json.encode(told(now)).decode()
        return News("end" if now.settled else "progress", text, last=now.settled)

    return _watchers.answer(request, look)
