"""How far a job is, read from the tables: landed, left to the stages, waiting for what."""

from __future__ import annotations

from datetime import datetime

import msgspec

from headrace.errors import BadInput
from headrace.plugins import stages
from headrace.store import jobs
from headrace.store.database import Connection

FINAL = frozenset({"SUCCEEDED", "FAILED", "CANCELLED"})

_EXPECTED = """
SELECT sum(s.total)::bigint AS total FROM headrace.streams s
JOIN headrace.jobs j USING (tenant_id, connection_id)
WHERE j.job_id = %s HAVING count(*) = count(s.total)
"""

_PENDING = """
SELECT count(*) AS pending FROM headrace.batches b
JOIN headrace.streams s USING (tenant_id, stream_id)
JOIN unnest(%(stages)s::text[], %(versions)s::int[], %(contents)s::text[])
  AS n (stage, version, content) ON n.content = s.content
WHERE b.tenant_id = %(tenant)s AND b.job_id = %(job_id)s AND b.inserted > 0
  AND NOT EXISTS (SELECT 1 FROM headrace.stage_runs r WHERE r.tenant_id = b.tenant_id
    AND r.batch_id = b.batch_id AND r.stage = n.stage AND r.version = n.version)
"""


class Progress(msgspec.Struct):
    """A job at one moment. `total` is what the source says there is, where it says it;
    `stages_pending` counts the batches that a stage has still to work through; `capped` says that
    it ended at the most that one run may fetch."""

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
    attempts: int
    resume_at: datetime | None
    last_error: str | None
    hint: str | None
    error_code: int | None
    capped: bool

    @property
    def settled(self) -> bool:
        """Whether the job is over and everything it landed has been worked through."""
        return self.status in FINAL and not self.stages_pending


def progress(connection: Connection, job_id: str) -> Progress:
    """Where a job stands. Raises BadInput when there is none of that id to be seen."""
    row = jobs.get(connection, job_id)
    if row is None:
        raise BadInput(f"There is no job {job_id}.", hint="`headrace jobs list` shows them.")
    landed = jobs.totals(connection, row["tenant_id"], job_id)
    expected = connection.execute(_EXPECTED, [job_id]).fetchone()
    known = list(stages().values())
    pending = connection.execute(
        _PENDING,
        {
            "tenant": row["tenant_id"],
            "job_id": job_id,
            "stages": [one.name for one in known],
            "versions": [one.version for one in known],
            "contents": [one.content for one in known],
        },
    ).fetchone()
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
        stages_pending=pending["pending"] if pending else 0,
        attempts=row["attempts"],
        resume_at=row["resume_at"],
        last_error=row["last_error"],
        hint=row["hint"],
        error_code=row["error_code"],
        capped=bool((row["summary"] or {}).get("capped")),
    )
