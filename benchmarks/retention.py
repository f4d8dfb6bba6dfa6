"""`make bench-retention`: whether a million finished jobs slow down the next ones, and whether
retention keeps up with them.

History is inserted as the engine leaves it of an empty job, in one statement for many: its row, its
workflow and the steps of that, spread over thirty days. Jobs are empty ones of a kind that looks
once and ends. A claim is one call by which the engine takes work from a queue.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dbos._sys_db import SystemDatabase

from benchmarks.docs import write
from benchmarks.machine import describe
from headrace import telemetry
from headrace.engine import redrive_many, retention
from headrace.engine.runtime import engine
from headrace.engine.schema import prepare
from headrace.settings import Settings
from headrace.store.database import Database
from headrace.store.dead_letters import Chosen
from headrace.store.embedded import postgres

PIECE = 50_000
JOBS = 200

HEAD = (
    "| finished jobs | claim, ms p50 / p99 | job from asked to over, ms p50 / p99 | jobs table |"
    " workflows | steps |\n|---|---|---|---|---|---|"
)

_HISTORY = """
WITH made AS (
  SELECT gen_random_uuid()::text AS id, now() - %(days)s * random() * interval '1 day' AS at
  FROM generate_series(1, %(count)s)
), jobs AS (
  INSERT INTO headrace.jobs (tenant_id, user_id, job_id, kind, payload, status, created_at,
    started_at, completed_at, summary)
  SELECT 'default', 'me', id, j.kind, j.payload, j.status, at, at, at, j.summary
  FROM made, (SELECT * FROM headrace.jobs WHERE job_id = %(like)s) j
), steps AS (
  INSERT INTO dbos.operation_outputs (workflow_uuid, function_id, function_name, output,
    serialization, started_at_epoch_ms, completed_at_epoch_ms, application_name,
    retention_timestamp)
  SELECT made.id, o.function_id, o.function_name, o.output, o.serialization,
    extract(epoch FROM at) * 1000, extract(epoch FROM at) * 1000, o.application_name,
    extract(epoch FROM at) * 1000
  FROM made, (SELECT * FROM dbos.operation_outputs WHERE workflow_uuid = %(like)s) o
), inputs AS (
  INSERT INTO dbos.workflow_input (workflow_uuid, inputs, retention_timestamp)
  SELECT made.id, i.inputs, extract(epoch FROM at) * 1000
  FROM made, (SELECT * FROM dbos.workflow_input WHERE workflow_uuid = %(like)s) i
), outputs AS (
  INSERT INTO dbos.workflow_output (workflow_uuid, output, error, retention_timestamp)
  SELECT made.id, i.output, i.error, extract(epoch FROM at) * 1000
  FROM made, (SELECT * FROM dbos.workflow_output WHERE workflow_uuid = %(like)s) i
)
INSERT INTO dbos.workflow_status (workflow_uuid, status, name, output, executor_id, created_at,
  updated_at, application_version, recovery_attempts, queue_name, inputs, priority, serialization,
  started_at_epoch_ms, completed_at, application_name)
SELECT made.id, w.status, w.name, w.output, w.executor_id, extract(epoch FROM at) * 1000,
  extract(epoch FROM at) * 1000, w.application_version, w.recovery_attempts, w.queue_name,
  w.inputs, w.priority, w.serialization, extract(epoch FROM at) * 1000,
  extract(epoch FROM at) * 1000, w.application_name
FROM made, (SELECT * FROM dbos.workflow_status WHERE workflow_uuid = %(like)s) w
"""


@contextmanager
def claims() -> Iterator[list[float]]:
    """How long each call takes by which the engine takes work from a queue, in milliseconds."""
    taken: list[float] = []
    claim = SystemDatabase.start_queued_workflows

    def timed(*given: Any, **more: Any) -> Any:
        started = time.perf_counter()
        found = claim(*given, **more)
        if found[0]:
            taken.append((time.perf_counter() - started) * 1000)
        return found

    SystemDatabase.start_queued_workflows = timed  # type: ignore[method-assign]
    try:
        yield taken
    finally:
        SystemDatabase.start_queued_workflows = claim  # type: ignore[method-assign]


def jobs(database: Database, count: int) -> str:
    """Run so many empty jobs, as they come; the id of the last."""
    job_id = ""
    for _ in range(count):
        with database.transaction() as connection:
            row = redrive_many.submit(connection, "default", "me", Chosen(stage="none"))
            job_id = str(row["job_id"])
        time.sleep(0.03)
    wait = "SELECT count(*) AS n FROM headrace.jobs WHERE status IN ('PENDING', 'RUNNING')"
    with database.connection() as connection:
        while (connection.execute(wait).fetchone() or {})["n"]:
            time.sleep(0.05)
    return job_id


def measure(database: Database, taken: list[float], count: int) -> str:
    """A line of the table: `JOBS` jobs beside so much history."""
    taken.clear()
    since = time.time()
    jobs(database, JOBS)
    with database.connection() as connection:
        rows = connection.execute(
            "SELECT extract(epoch FROM completed_at - created_at)::float * 1000 AS ms"
            " FROM headrace.jobs WHERE created_at > to_timestamp(%s) AND kind = %s",
            [since, redrive_many.KIND],
        ).fetchall()
        tables = "headrace.jobs", "dbos.workflow_status", "dbos.operation_outputs"
        sizes = [
            (connection.execute("SELECT pg_total_relation_size(%s) AS n", [one]).fetchone() or {})[
                "n"
            ]
            for one in tables
        ]
        found = connection.execute("SELECT count(*) AS n FROM headrace.jobs").fetchone()
    told = " | ".join(f"{size / 2**20:,.0f} MB" for size in sizes)
    whole = (found or {})["n"] if count else JOBS
    return f"| {whole:,} | {_spread(taken)} | {_spread([row['ms'] for row in rows])} | {told} |"


def _spread(values: list[float]) -> str:
    cut = statistics.quantiles(values, n=100)
    return f"{cut[49]:.1f} / {cut[98]:.1f}"


def fill(database: Database, count: int, like: str, days: float = 30) -> float:
    """Put so many finished jobs there. Returns the seconds that it took."""
    started = time.monotonic()
    for at in range(0, count, PIECE):
        with database.transaction() as connection:
            values = {"count": min(PIECE, count - at), "like": like, "days": days}
            connection.execute(_HISTORY, values)
    with database.connection() as connection:
        for table in ("headrace.jobs", "dbos.workflow_status", "dbos.operation_outputs"):
            connection.execute(f"ANALYZE {table}".encode())
    return time.monotonic() - started


def run(url: str, home: Path, count: int) -> list[str]:
    """Before, with the history, and while retention keeps up with more of it."""
    kept = Settings(_env_file=None, headrace_home=home, headrace_keep_job_days=7)
    never = Settings(
        _env_file=None,
        headrace_home=home,
        headrace_workers=32,
        headrace_keep_job_days=0,
        headrace_keep_workflow_days=0,
    )
    lines = [HEAD]
    with claims() as taken, engine(url, never) as database:
        like = jobs(database, 20)
        lines.append(measure(database, taken, 0))
        fill(database, count, like)
        lines.append(measure(database, taken, count))
        started = time.monotonic()
        gone = retention.sweep_out(database, kept)
        seconds = time.monotonic() - started
        rows = {one.policy.subject: one.rows for one in gone}
        lines.append(measure(database, taken, count))
        # As many as before come once more, and go, while jobs are run.
        adding = threading.Thread(target=fill, args=(database, count, like))
        adding.start()
        while adding.is_alive():
            retention.sweep_out(database, kept)
        adding.join()
        retention.sweep_out(database, kept)
        lines.append(measure(database, taken, count))
    said = (
        f"Lines: before; with the history; after retention (7 days), which removed"
        f" {rows['workflows']:,} workflows and {rows['jobs']:,} jobs in {seconds:,.0f} s"
        f" ({rows['workflows'] / max(seconds, 0.1):,.0f} of each a second); and after as many"
        " jobs more, added and removed at the same time. Tables keep the room that they have had"
        " and use it again."
    )
    return [*lines, "", said]


def main() -> None:
    """Measure, print, write."""
    telemetry.quiet()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=1_000_000)
    parser.add_argument("--no-write", action="store_true")
    wanted = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="headrace-bench-"))
    home.chmod(0o755)
    with postgres(home / "postgres") as url:
        prepare(url)
        lines = run(url, home, wanted.jobs)
    measured = (
        f"Measured {datetime.now(UTC):%Y-%m-%d} on {describe()}, PostgreSQL embedded, fsync on."
        f" `make bench-retention` ({wanted.jobs:,} jobs)."
    )
    text = "\n".join([measured, "", *lines])
    print(text)
    if not wanted.no_write:
        write("bench-retention", text)


if __name__ == "__main__":
    main()
