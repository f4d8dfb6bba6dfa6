"""Jobs that never end, and jobs that end their workers: failed with words, and not passed on."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.engine.fleet import fleet

from headrace import Page
from headrace.engine import jobs, sweep
from headrace.engine.jobs import ATTEMPTS
from headrace.provider import JSON, Record
from headrace.store import connections
from headrace.store.checkpoints import Cancelled

if TYPE_CHECKING:
    from tests.engine.conftest import Bench, Trail

Running = Callable[..., AbstractContextManager[Any]]
Start = Callable[[], subprocess.Popen[bytes]]


@pytest.fixture
def start(bench: Bench, plugin_folder: Path, tmp_path: Path) -> Iterator[Start]:
    """`start()`: a worker process."""
    with fleet(bench, plugin_folder, tmp_path) as workers:
        yield workers.launch


def health(bench: Bench, job_id: str) -> dict[str, Any]:
    [row] = bench.rows(
        "SELECT c.* FROM headrace.connections c JOIN headrace.jobs j USING (connection_id)"
        " WHERE job_id = %s",
        job_id,
    )
    return row


def test_a_source_that_hangs_is_left_at_the_deadline(
    bench: Bench, probe: Any, running: Running
) -> None:
    """A job that never ends is failed with words, though its source never answers; its place is
    free for the next one, and what was landed stays."""
    asked = []

    async def answer(slice_: str, cursor: JSON) -> Page:
        asked.append(cursor)
        if cursor is not None:
            await asyncio.Event().wait()
        return Page([Record("a", b"1")], 1, more=True)

    probe.scripts["hangs"] = answer
    job = bench.submit(bench.connect(script="hangs"), deadline_seconds=2)
    with running(headrace_workers=1):
        bench.until(lambda: bench.job(job)["status"] == "FAILED", seconds=20)
        after = bench.submit(bench.connect("next", total=10))
        bench.settled(after)
    row = bench.job(job)
    assert asked == [None, 1]
    assert row["last_error"] == "The job did not end by its deadline."
    assert "deadline_seconds" in row["hint"]
    assert health(bench, job)["health"] == "error"
    assert health(bench, job)["health_reason"] == row["last_error"]
    assert "a" in [one["source_id"] for one in bench.rows("SELECT * FROM headrace.raw_events")]


def test_a_job_that_waits_is_failed_at_its_deadline(bench: Bench) -> None:
    """By the sweeper: no process runs it. A job without words of its own has what the setting says,
    and one that has not begun has no deadline yet; a retry begins its time anew."""
    waits, later = bench.submit(bench.connect("a")), bench.submit(bench.connect("b"))
    jobs.begin(bench.database, waits, 1, minutes=1, hours=1 / 3600)
    bench.until(lambda: bench.one("SELECT bool_or(deadline_at < now()) FROM headrace.jobs"))
    sweep.sweep(bench.database, quiet=60)
    assert [bench.job(one)["status"] for one in (waits, later)] == ["FAILED", "PENDING"]
    assert bench.job(later)["deadline_at"] is None
    with bench.database.transaction() as session:
        jobs.retry(session, waits)
    assert bench.job(waits)["deadline_at"] is None
    assert bench.job(waits)["status"] == "PENDING"


def test_a_failed_job_commits_nothing_more(trail: Trail) -> None:
    """Whoever still runs it is refused."""
    trail.land_one()
    trail.bench.rows(
        "UPDATE headrace.jobs SET status = 'FAILED', completed_at = now() RETURNING job_id"
    )
    with pytest.raises(Cancelled):
        trail.land_one(Record("late", b"2"))
    assert trail.raw() == ["one"]


def test_a_job_that_ends_its_workers_is_put_aside(bench: Bench, start: Start) -> None:
    """Covers G15, X5: five processes and not one more; the job beside it, which was there each
    time, is not taken for guilty, and the connection is not synced again by itself at once."""
    deadly = bench.connect("deadly", total=100, page=10, ends_at=20)
    with bench.database.transaction() as session:
        connections.every(session, deadly["connection_id"], 60)
    job = bench.submit(deadly)
    beside = bench.submit(bench.connect("beside", total=3000, page=10, latency_ms=10))
    workers = [start()]

    def over() -> bool:
        if workers[-1].poll() is not None:
            assert len(workers) <= ATTEMPTS, "workers go on dying"
            workers.append(start())
        return bool(bench.job(job)["status"] == "FAILED")

    bench.until(over, seconds=120)
    bench.settled(beside, seconds=60)
    assert [one.poll() for one in workers] == [9] * ATTEMPTS + [None]
    assert bench.job(beside)["status"] == "SUCCEEDED"
    assert bench.job(beside)["deaths"] == 0
    row = bench.job(job)
    assert row["last_error"] == "5 processes have ended while they ran this job."
    assert "retry" in row["hint"]
    now = health(bench, job)
    assert (now["health"], now["health_reason"]) == ("error", row["last_error"])
    assert bench.one("SELECT next_at > now() + interval '23 h' FROM headrace.schedules")
