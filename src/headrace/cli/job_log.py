"""`headrace jobs log` and `steps`: what was said of a job, and what the engine did of it."""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer

from headrace.cli.house import TENANT, USER, reading
from headrace.cli.options import Json, Limit
from headrace.cli.show import Columns, answer_rows
from headrace.engine import job_steps
from headrace.errors import BadInput
from headrace.store import job_lines
from headrace.store import jobs as store
from headrace.store.database import Connection
from headrace.store.jobs import JobRow

JobId = Annotated[str, typer.Argument(help="The job's id.")]


def log(job_id: JobId, limit: Limit = 50, json: Json = False) -> None:
    """What was said of a job, the newest first. Of each, the newest 200 lines are kept."""
    with reading() as database, database.people(TENANT, USER) as session:
        _existing(session, job_id)
        rows = job_lines.of_job(session, job_id, limit)
    columns: Columns = {
        "when": "said_at",
        "level": "level",
        "what": "event",
        "facts": lambda row: ", ".join(
            f"{name} {value}" for name, value in row["facts"].items() if value is not None
        ),
    }
    answer_rows("lines", rows, columns, json=json)


def steps(job_id: JobId, limit: Limit = 50, json: Json = False) -> None:
    """What the engine did of a job, step by step, the newest first, and how long that took."""
    with reading() as database, database.people(TENANT, USER) as session:
        row = _existing(session, job_id)
        found = job_steps.steps(session, job_id, row["turn"], limit)
    rows = [{**msgspec.structs.asdict(one), "seconds": one.seconds} for one in found]
    columns: Columns = {
        "turn": "turn",
        "step": lambda row: f"{row['name']} failed" if row["failed"] else row["name"],
        "began": "began",
        "seconds": lambda row: None if row["seconds"] is None else f"{row['seconds']:.3f}",
    }
    answer_rows("steps", rows, columns, json=json)


def _existing(session: Connection, job_id: str) -> JobRow:
    row = store.get(session, job_id)
    if row is None:
        raise BadInput(f"There is no job {job_id}.", hint="`headrace jobs list` shows them.")
    return row
