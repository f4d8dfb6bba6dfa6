"""What the log said of jobs, kept with them: see decision 0039."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from headrace.store.database import Connection
from headrace.store.sql import query
from headrace.telemetry import Line
from headrace.text import stored_json

MOST = 200
"""Lines that are kept of one job."""


def keep(connection: Connection, lines: Sequence[Line]) -> None:
    """Keep these, and of each of their jobs no more than the newest. A job that is not there any
    more has none."""
    values = {
        "jobs": [line.job_id for line in lines],
        "times": [line.said_at for line in lines],
        "levels": [line.level for line in lines],
        "events": [line.event for line in lines],
        "facts": [stored_json(line.facts) for line in lines],
    }
    connection.execute(query("job_lines", "keep"), values)
    named = {"jobs": sorted({line.job_id for line in lines}), "most": MOST}
    connection.execute(query("job_lines", "trim"), named)


def of_job(connection: Connection, job_id: str, limit: int = MOST) -> list[dict[str, Any]]:
    """The newest lines of a job that this connection may see, the newest first."""
    values = {"job_id": job_id, "limit": limit}
    return connection.execute(query("job_lines", "of_job"), values).fetchall()
