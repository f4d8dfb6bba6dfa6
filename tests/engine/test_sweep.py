"""No work is stranded: what the tables say is to do is found, though every trigger was lost."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from headrace.engine import jobs, sweep
from headrace.engine.cascade import run_stage
from headrace.engine.lanes import band
from headrace.engine.queues import workflow_id
from headrace.provider import Record

if TYPE_CHECKING:
    from tests.engine.conftest import Bench, Trail


def lose(bench: Bench, workflow_id: str = "%") -> None:
    """Simulate loss: the engine knows nothing of it any more."""
    bench.rows(
        "DELETE FROM dbos.workflow_status WHERE workflow_uuid LIKE %s RETURNING workflow_uuid",
        workflow_id,
    )


def end(bench: Bench, workflow_id: str, status: str) -> None:
    """The engine says that this workflow is over."""
    bench.rows(
        "UPDATE dbos.workflow_status SET status = %s WHERE workflow_uuid = %s RETURNING status",
        status,
        workflow_id,
    )


def queued(bench: Bench) -> list[str]:
    rows = bench.rows(
        "SELECT workflow_uuid FROM dbos.workflow_status WHERE status = 'ENQUEUED' ORDER BY 1"
    )
    return [row["workflow_uuid"] for row in rows]


def swept(bench: Bench) -> tuple[int, int]:
    return sweep.sweep(bench.database, quiet=0)


@pytest.fixture
def batch(trail: Trail) -> int:
    """A batch that no stage has worked through, and of which the engine knows nothing."""
    trail.land_one()
    return int(trail.batches()[0]["batch_id"])


def test_work_that_is_under_way_is_left_alone(bench: Bench, batch: int) -> None:
    bench.submit(bench.connect("another"))
    lose(bench, "stage:%")
    swept(bench)
    before = queued(bench)
    assert swept(bench) == (0, 0)
    assert queued(bench) == before


def test_what_is_new_is_not_looked_into(bench: Bench, batch: int) -> None:
    """A trigger has its seconds before anybody calls it lost."""
    lose(bench)
    assert sweep.sweep(bench.database, quiet=60) == (0, 0)


@pytest.mark.parametrize("begun", [False, True])
def test_a_job_whose_workflow_was_lost_is_dispatched(bench: Bench, begun: bool) -> None:
    """Covers A3.27, A3.9: no job sits in the queue for ever."""
    job = bench.submit(bench.connect())
    if begun:
        jobs.begin(bench.database, job, 1, minutes=1)
    lose(bench)
    assert swept(bench) == (1, 0)
    assert queued(bench) == [job]
    assert bench.job(job)["turn"] == 1


@pytest.mark.parametrize("status", ["SUCCESS", "ERROR", "CANCELLED"])
def test_a_job_whose_workflow_ended_without_it_goes_on(bench: Bench, status: str) -> None:
    """Covers A2.34: a new turn, and no manual intervention."""
    job = bench.submit(bench.connect())
    jobs.begin(bench.database, job, 1, minutes=1)
    end(bench, job, status)
    assert swept(bench) == (1, 0)
    assert queued(bench) == [f"{job}/2"]
    assert (bench.job(job)["status"], bench.job(job)["turn"]) == ("PENDING", 2)


def test_a_job_that_ends_so_every_time_is_failed(bench: Bench) -> None:
    """Covers A1.12, A3.46: a poisoned job is told to a person instead of being begun for ever."""
    job = bench.submit(bench.connect())
    for turn in range(1, jobs.ATTEMPTS + 1):
        jobs.begin(bench.database, job, turn, minutes=1)
        end(bench, workflow_id(job, turn), "ERROR")
        assert swept(bench) == (1, 0)
    row = bench.job(job)
    assert (row["status"], row["attempts"]) == ("FAILED", jobs.ATTEMPTS)
    assert row["last_error"]
    assert row["hint"]
    assert swept(bench) == (0, 0)


def test_a_job_that_waits_for_its_time_is_not_stalled(bench: Bench) -> None:
    job = bench.submit(bench.connect())
    bench.rows(
        "UPDATE headrace.jobs SET resume_at = now() + interval '1 hour' RETURNING job_id",
    )
    lose(bench)
    assert swept(bench) == (0, 0)
    bench.rows("UPDATE headrace.jobs SET resume_at = now() RETURNING job_id")
    assert swept(bench) == (1, 0)
    assert bench.one("SELECT workflow_uuid FROM dbos.workflow_status") == job


def test_a_batch_whose_stage_was_lost_is_found(bench: Bench, batch: int) -> None:
    """Covers A3.1, A3.47: by the batch and the stage alone; asking again asks for the same."""
    lose(bench, "stage:%")
    assert swept(bench) == (0, 1)
    assert f"stage:probe_numbers:1:{batch}:1" in queued(bench)
    assert swept(bench) == (0, 0)


def test_an_attempt_that_ended_without_a_trace_is_followed_by_the_next(
    bench: Bench, batch: int
) -> None:
    """However many there were, and whichever of them the engine has forgotten since."""
    lose(bench, "stage:%")
    for attempt in range(1, 15):
        assert swept(bench) == (0, 1)
        name = f"stage:probe_numbers:1:{batch}:{attempt}"
        assert name in queued(bench)
        end(bench, name, "ERROR")
    lose(bench, f"stage:probe_numbers:1:{batch}:3")
    assert swept(bench) == (0, 1)
    assert f"stage:probe_numbers:1:{batch}:3" in queued(bench)


def test_a_batch_that_was_worked_through_is_done(bench: Bench, batch: int) -> None:
    run_stage(bench.database, "probe_numbers", batch)
    lose(bench, "stage:%")
    assert swept(bench) == (0, 0)


def test_a_newer_stage_finds_the_batches_of_the_older_one(bench: Bench, batch: int) -> None:
    """Covers A1.52: every batch lacks the stage's present version, and gets it."""
    run_stage(bench.database, "probe_numbers", batch)
    bench.rows("UPDATE headrace.stage_runs SET version = 0 RETURNING version")
    lose(bench, "stage:%")
    assert swept(bench) == (0, 1)


def test_an_older_stage_leaves_the_batches_of_the_newer_one(
    bench: Bench, batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two processes side by side, or after a step back, the one with the older code neither asks
    for work that the newer one has done, nor does it again when it is handed it."""
    run_stage(bench.database, "probe_numbers", batch)
    bench.rows("UPDATE headrace.stage_runs SET version = 2 RETURNING version")
    bench.rows("UPDATE headrace.events SET name = 'newer' RETURNING name")
    lose(bench, "stage:%")
    assert swept(bench) == (0, 0)
    run_stage(bench.database, "probe_numbers", batch)
    assert bench.one("SELECT name FROM headrace.events") == "newer"
    assert bench.one("SELECT max(version) FROM headrace.stage_runs") == 2


def test_old_batches_wait_behind_new_ones(
    trail: Trail, batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new version of a stage comes to the old batches when there is nothing else to do, and only
    some of them are on the queue at a time."""
    monkeypatch.setattr(sweep, "AT_ONCE", 2)
    for _ in range(3):
        trail.land_one()
    bench = trail.bench
    bench.rows(
        "UPDATE headrace.batches SET committed_at = now() - interval '1 hour', inserted = 1,"
        " unchanged = 0 RETURNING 1 AS n"
    )
    lose(bench, "stage:%")
    assert [swept(bench)[1] for _ in range(2)] == [2, 0]
    low = bench.rows(
        "SELECT DISTINCT priority FROM dbos.workflow_status WHERE name = 'headrace.stage'"
    )
    first, last = band("low", "reconcile")
    assert all(first <= row["priority"] <= last for row in low)
    trail.land_one(Record("new", b"2"))
    lose(bench, f"stage:%:{trail.batches()[-1]['batch_id']}:%")
    assert swept(bench) == (0, 1)
    assert f"stage:probe_numbers:1:{trail.batches()[-1]['batch_id']}:1" in queued(bench)


def test_a_sweep_looks_at_some_of_what_waits_and_the_next_one_goes_on(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Covers A3.27: each job has its turn, and after the last one the first has it again; those
    that were made in one transaction too. A page with too much in it is looked at again."""
    monkeypatch.setattr(sweep, "LOOKED_AT", 3)
    made = [bench.submit(bench.connect(f"c{n}")) for n in range(8)]
    bench.rows("UPDATE headrace.jobs SET created_at = now() RETURNING 1 AS n")
    bookmark = sweep.Bookmark()

    def look() -> int:
        return sweep.sweep(bench.database, quiet=0, bookmark=bookmark)[0]

    lose(bench)
    assert [look() for _ in range(4)] == [3, 3, 2, 0]
    assert queued(bench) == sorted(made)
    lose(bench, sorted(made)[7])
    assert [look() for _ in range(4)] == [0, 1, 0, 0]
    lose(bench)
    monkeypatch.setattr(sweep, "AT_ONCE", 2)
    assert [look() for _ in range(6)] == [2, 0, 2, 1, 2, 1]


def test_many_that_sweep_at_once_enqueue_once(bench: Bench, batch: int) -> None:
    """Covers X10: every worker sweeps, and none needs to know of the others."""
    made: list[Any] = [bench.submit(bench.connect(f"c{n}")) for n in range(20)]
    lose(bench)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: swept(bench), range(8)))
    assert len(queued(bench)) == len(made) + 2
    assert {bench.job(job)["turn"] for job in made} == {1}
