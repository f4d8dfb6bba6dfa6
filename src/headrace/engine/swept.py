"""What a sweep has found, and how much of it somebody may know of."""

from __future__ import annotations

import msgspec

from headrace.store.database import Connection

# Row-level security says which of them somebody may know of.
_SEEN = """
SELECT (SELECT count(*) FROM unnest(%(jobs)s::text[]) AS f (job_id)
    JOIN headrace.jobs USING (job_id)) AS jobs,
  (SELECT count(*) FROM unnest(%(batches)s::bigint[]) AS f (batch_id)
    JOIN headrace.batches USING (batch_id)) AS stages
"""


class Found(msgspec.Struct):
    """What a sweep has put on the queue: jobs by id, and of each stage run its batch."""

    jobs: list[str] = []
    batches: list[int] = []

    def seen_by(self, session: Connection) -> tuple[int, int]:
        """How many jobs and how many stage runs of it this session may know of."""
        row = session.execute(_SEEN, {"jobs": self.jobs, "batches": self.batches}).fetchone()
        assert row is not None, "a SELECT without FROM answers"
        return row["jobs"], row["stages"]
