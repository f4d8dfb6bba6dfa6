"""How far a job is, read from the tables: landed, left to the stages, waiting for what."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from headrace.engine.needs import waiting_for
from headrace.engine.settle import settles, stages
from headrace.errors import BadInput
from headrace.plugins import stages as known_stages
from headrace.store import jobs
from headrace.store.database import Connection

_COUNTED = ("fetched", "inserted", "unchanged", "dead_lettered", "pages", "batches")

FINAL = frozenset({"SUCCEEDED", "FAILED", "CANCELLED"})

_EXPECTED = """
SELECT sum(s.total)::bigint AS total FROM headrace.streams s
JOIN headrace.jobs j USING (tenant_id, connection_id)
WHERE j.job_id = %s HAVING count(*) = count(s.total)
"""

# What came in the last half minute, or since the job began if that is less.
_PACE = """
SELECT sum(b.fetched) / greatest(1, least(%(seconds)s, extract(epoch FROM now() - j.started_at)))
  ::float AS pace
FROM headrace.jobs j JOIN headrace.batches b USING (tenant_id, job_id)
WHERE j.job_id = %(job_id)s AND b.committed_at > now() - make_interval(secs => %(seconds)s)
GROUP BY j.started_at
"""
_PACE_SECONDS = 30.0


class StageProgress(msgspec.Struct):
    """How far one stage is with a job: batches it is through with, of how many; rows it read and
    wrote, and what it had to leave out."""

    name: str
    batches: int
    of: int
    rows_in: int
    rows_out: int
    dead_lettered: int

    @property
    def pending(self) -> int:
        """Batches that it has still to work through."""
        return self.of - self.batches


class Progress(msgspec.Struct):
    """A job at one moment. `total` is what the source says there is, where it says it; while it
    runs, `per_second` is how many records have been fetched a second of late;
    `stages_pending` counts the batches that a stage has still to work through, `apart_pending`
    those of stages that nobody waits for; `capped` says that it ended at the most that one run may
    fetch. `stages` are told of jobs that wait for theirs; `waiting_for` has the jobs that come
    first, `stopped_by` the one because of which it was cancelled, where no person did it."""

    job_id: str
    status: str
    fetched: int
    inserted: int
    unchanged: int
    dead_lettered: int
    pages: int
    batches: int
    total: int | None
    stages_pending: int
    apart_pending: int
    attempts: int
    resume_at: datetime | None
    last_error: str | None
    hint: str | None
    error_code: int | None
    capped: bool
    stages: list[StageProgress] = []
    waiting_for: list[str] = []
    stopped_by: str | None = None
    per_second: float | None = None

    @property
    def share(self) -> float | None:
        """How much of what there is has been fetched, from 0 to 1; None where that is not known."""
        return min(1.0, self.fetched / self.total) if self.total else None

    @property
    def seconds_left(self) -> float | None:
        """How long the rest will take if it goes on like this; None where that is not known."""
        if not self.total or not self.per_second:
            return None
        return max(0, self.total - self.fetched) / self.per_second

    @property
    def settled(self) -> bool:
        """Whether the job is over and everything it landed has been worked through, but for what
        stands apart."""
        return self.status in FINAL and not self.stages_pending


def progress(connection: Connection, job_id: str) -> Progress:
    """Where a job stands. Raises BadInput when there is none of that id to be seen."""
    row = jobs.get(connection, job_id)
    if row is None:
        raise BadInput(f"There is no job {job_id}.", hint="`headrace jobs list` shows them.")
    landed = jobs.totals(connection, row["tenant_id"], job_id)
    if row["status"] in FINAL:
        # Batches of which nothing is left may be gone by now; what they brought, the job has noted.
        noted = row["summary"] or {}
        landed |= {name: max(landed[name], noted.get(name) or 0) for name in _COUNTED}
    steps = [StageProgress(**one) for one in stages(connection, row["tenant_id"], job_id)]
    apart = {one.name for one in known_stages().values() if one.apart}
    expected = connection.execute(_EXPECTED, [job_id]).fetchone()
    return Progress(
        job_id=job_id,
        status=row["status"],
        fetched=landed["fetched"],
        inserted=landed["inserted"],
        unchanged=landed["unchanged"],
        dead_lettered=landed["dead_lettered"],
        pages=landed["pages"],
        batches=landed["batches"],
        total=expected["total"] if expected else None,
        stages_pending=sum(one.pending for one in steps if one.name not in apart),
        apart_pending=sum(one.pending for one in steps if one.name in apart),
        attempts=row["attempts"],
        resume_at=row["resume_at"],
        last_error=row["last_error"],
        hint=row["hint"],
        error_code=row["error_code"],
        capped=bool((row["summary"] or {}).get("capped")),
        stages=steps if settles(row["kind"]) else [],
        waiting_for=waiting_for(connection, job_id) if row["waits"] else [],
        stopped_by=row["stopped_by"],
        per_second=_pace(connection, job_id) if row["status"] == "RUNNING" else None,
    )


def told(now: Progress) -> dict[str, Any]:
    """The same as JSON has it: in the API, its events and the command line."""
    more = {"share": now.share, "seconds_left": now.seconds_left}
    return {**msgspec.to_builtins(now), **more}


def _pace(connection: Connection, job_id: str) -> float | None:
    values = {"job_id": job_id, "seconds": _PACE_SECONDS}
    found = connection.execute(_PACE, values).fetchone()
    return round(float(found["pace"]), 1) if found else None
