"""The real engine: jobs run to their end by themselves, whatever is in their way."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import pytest

from headrace import Page, Record, Retry
from headrace.engine import jobs, sweep, sync
from headrace.errors import NeedsHuman
from headrace.provider import JSON

if TYPE_CHECKING:
    from tests.engine.conftest import Bench

Running = Callable[..., AbstractContextManager[Any]]


def numbers(total: int) -> list[tuple[str, int]]:
    return [(f"{n:06}", 1) for n in range(total)]


def test_a_job_runs_to_its_end_and_its_stage_follows(bench: Bench, running: Running) -> None:
    """Covers A2.11, A3.1, A3.11, A3.37, A3.53, X1: submitted, begun, landed, chained, finished."""
    job = bench.submit(bench.connect(total=2_500))
    with running():
        bench.settled(job)
    row = bench.job(job)
    assert (row["status"], row["turn"], row["attempts"]) == ("SUCCEEDED", 1, 0)
    assert (row["summary"]["fetched"], row["summary"]["inserted"]) == (2_500, 2_500)
    assert row["created_at"] <= row["started_at"] <= row["completed_at"]
    assert bench.numbers() == numbers(2_500)
    assert bench.one("SELECT health FROM headrace.connections") == "active"


def test_slices_are_walked_side_by_side(bench: Bench, running: Running) -> None:
    """Covers A2.42: each with its own checkpoint, and together they are the stream."""
    job = bench.submit(bench.connect(total=1_000, page=50, slices=5))
    with running():
        bench.settled(job)
    assert bench.numbers() == numbers(1_000)
    done = bench.rows("SELECT done_by FROM headrace.checkpoints")
    assert [row["done_by"] for row in done] == [job] * 5


def test_many_jobs_share_the_workers(bench: Bench, running: Running) -> None:
    """Covers A3.43, A3.56: more jobs than places; every one succeeds."""
    made = [bench.submit(bench.connect(f"c{n}", total=50)) for n in range(12)]
    with running(headrace_workers=3):
        bench.settled(*made)
    assert {bench.job(one)["status"] for one in made} == {"SUCCEEDED"}
    assert bench.one("SELECT count(*) FROM headrace.raw_events") == 12 * 50


def test_urgent_jobs_run_first(bench: Bench, running: Running) -> None:
    """Covers A3.41: by priority, and in the order they came within one."""
    order = ["low", "medium", "urgent", "high", "urgent"]
    made = [bench.submit(bench.connect(f"c{n}"), priority=one) for n, one in enumerate(order)]
    with running(headrace_workers=1):
        bench.settled(*made)
    begun = bench.rows("SELECT job_id, priority FROM headrace.jobs ORDER BY started_at")
    assert [row["priority"] for row in begun] == ["urgent", "urgent", "high", "medium", "low"]
    assert [row["job_id"] for row in begun[:2]] == [made[2], made[4]]


def test_a_source_that_asks_to_wait_is_waited_for(
    bench: Bench, probe: Any, running: Running
) -> None:
    """Covers A2.32, R6: as long as it says, by a job that keeps nobody busy meanwhile."""
    refusals = iter([Retry("Busy.", after=3600), Retry("Busy.", after=3600)])

    async def answer(slice_: str, cursor: JSON) -> Page:
        for one in refusals:
            raise one
        return Page([Record("a", b"1")], None, more=False)

    probe.scripts["busy"] = answer
    job = bench.submit(bench.connect(script="busy"))
    with running(headrace_workers=1):
        bench.until(lambda: bench.job(job)["turn"] == 2)
        other = bench.submit(bench.connect("other", total=10))
        bench.settled(other)  # the only place is free
        bench.hurry()
        bench.until(lambda: bench.job(job)["turn"] == 3)
        bench.hurry()
        bench.settled(job)
    assert (bench.job(job)["status"], bench.job(job)["attempts"]) == ("SUCCEEDED", 0)


def test_a_source_that_needs_a_person_is_left_alone(
    bench: Bench, probe: Any, running: Running
) -> None:
    """Covers A3.46, O3: the job fails at once, the connection says why and what to do."""
    asked = []

    async def answer(slice_: str, cursor: JSON) -> Page:
        asked.append(cursor)
        raise NeedsHuman("Access was revoked.", hint="Sign in again.", reauth=True)

    probe.scripts["revoked"] = answer
    job = bench.submit(bench.connect(script="revoked"))
    with running():
        bench.settled(job)
    assert bench.job(job)["status"] == "FAILED"
    assert len(asked) == 1
    [row] = bench.rows("SELECT health, health_reason, health_hint FROM headrace.connections")
    assert tuple(row.values()) == ("needs_reauth", "Access was revoked.", "Sign in again.")


def test_a_run_that_takes_too_long_goes_on_in_the_next(
    bench: Bench, running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Covers A1.10, A1.6: the cap stops a run between pages, and nothing is skipped by it."""
    monkeypatch.setattr(sync, "LEG_SECONDS", 0.05)
    job = bench.submit(bench.connect(total=1_000, page=50, latency_ms=10))
    with running(headrace_run_minutes=0.0001):
        bench.settled(job)
    row = bench.job(job)
    assert row["status"] == "SUCCEEDED"
    assert row["turn"] > 2
    assert bench.numbers() == numbers(1_000)


def test_a_cancelled_job_stops_and_a_retry_goes_on(
    bench: Bench, probe: Any, running: Running
) -> None:
    """Covers A4.1, A3.40: cancelled in the middle of its walk; retried, it skips nothing."""
    reached, go_on = threading.Event(), threading.Event()

    async def answer(slice_: str, cursor: JSON) -> Page:
        number = int(str(cursor or 1))
        if number == 3:
            reached.set()
            await asyncio.to_thread(go_on.wait, 30)
        return Page([Record(f"{number}", b"1")], str(number + 1), more=number < 5)

    probe.scripts["long"] = answer
    job = bench.submit(bench.connect(script="long"))
    with running():
        assert reached.wait(30)
        with bench.database.transaction() as session:
            jobs.cancel(session, job)
        before = bench.one("SELECT count(*) FROM headrace.raw_events")
        go_on.set()
        ended = "SELECT status FROM dbos.workflow_status WHERE workflow_uuid = %s"
        bench.until(lambda: bench.one(ended, job) == "SUCCESS")
        assert bench.one("SELECT count(*) FROM headrace.raw_events") == before
        assert bench.job(job)["status"] == "CANCELLED"
        with bench.database.transaction() as session:
            jobs.retry(session, job)
        bench.settled(job)
    assert bench.job(job)["status"] == "SUCCEEDED"
    assert [name for name, _ in bench.numbers()] == ["1", "2", "3", "4", "5"]


def test_an_engine_that_is_stopped_goes_on_when_it_starts(
    bench: Bench, probe: Any, running: Running
) -> None:
    """Covers A2.34, A4.16: stopped in the middle; no manual intervention, nothing twice."""
    reached = threading.Event()
    stopping = True

    async def answer(slice_: str, cursor: JSON) -> Page:
        number = int(str(cursor or 1))
        if number == 3 and stopping:
            reached.set()
            await asyncio.sleep(3600)
        return Page([Record(f"{number}", b"1")], str(number + 1), more=number < 5)

    probe.scripts["long"] = answer
    job = bench.submit(bench.connect(script="long"))
    with running():
        assert reached.wait(30)
    assert bench.job(job)["status"] == "RUNNING"
    stopping = False
    with running():
        bench.settled(job)
    assert (bench.job(job)["status"], bench.job(job)["turn"]) == ("SUCCEEDED", 1)
    assert [name for name, _ in bench.numbers()] == ["1", "2", "3", "4", "5"]


def test_lost_triggers_are_found_by_the_sweeper(
    bench: Bench, running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Covers A3.27, A3.55: nobody calls a runner by hand, though every trigger was lost."""
    monkeypatch.setattr(sweep, "SWEEP_SECONDS", 0.1)
    monkeypatch.setattr(sweep.sweep, "__defaults__", (0.1, None))
    job = bench.submit(bench.connect(total=300))
    forget = "DELETE FROM dbos.workflow_status WHERE status = 'ENQUEUED' RETURNING workflow_uuid"
    assert [row["workflow_uuid"] for row in bench.rows(forget)] == [job]
    with running():
        bench.settled(job)
    assert bench.numbers() == numbers(300)


def test_connections_that_are_cut_are_made_again(bench: Bench, url: str, running: Running) -> None:
    """Covers A2.34: every session of the service is ended, three times over, under load."""
    made = [
        bench.submit(bench.connect(f"c{n}", total=1_000, page=20, latency_ms=10)) for n in range(3)
    ]
    cut = (
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        " AND application_name <> 'engine tests'"
    )
    with running():
        for wanted in (100, 1_000, 2_000):
            while bench.one("SELECT count(*) FROM headrace.raw_events") < wanted:
                time.sleep(0.01)
            bench.until(lambda: bench.one(cut) >= 3)
        bench.settled(*made)
    assert {bench.job(one)["status"] for one in made} == {"SUCCEEDED"}
    assert sorted(bench.numbers()) == sorted(numbers(1_000) * 3)
