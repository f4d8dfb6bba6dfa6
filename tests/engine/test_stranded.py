"""Every state in which work may be left without a next step: each is found, and gets one.

A next step is a workflow that waits or is run by a worker that is known. Where there is none, a job
or a batch is stranded, however that came about; the sweeper knows of no causes.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

import pytest

from headrace.engine import jobs, kinds, sweep
from headrace.engine.cascade import run_stage
from headrace.engine.workflows import _WITHOUT_SOURCE
from headrace.errors import BadInput

if TYPE_CHECKING:
    from tests.engine.conftest import Bench, Trail

GONE = (None, "SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED", "PENDING")
"""What DBOS may say of a workflow that nobody will go on with: it knows none, it is over, or it is
in the hands of a process of which there is no trace. Its other states, ENQUEUED and DELAYED, are
next steps."""


def strand(bench: Bench, status: str | None, like: str = "%") -> None:
    """Leave the workflows of these ids in this state."""
    if status is None:
        bench.rows(
            "DELETE FROM dbos.workflow_status WHERE workflow_uuid LIKE %s RETURNING status", like
        )
        return
    bench.rows(
        "UPDATE dbos.workflow_status SET status = %s, executor_id = 'nobody', updated_at = 1"
        " WHERE workflow_uuid LIKE %s RETURNING status",
        status,
        like,
    )


def waiting(bench: Bench, like: str) -> list[Any]:
    return bench.rows(
        "SELECT workflow_uuid FROM dbos.workflow_status"
        " WHERE status = 'ENQUEUED' AND workflow_uuid LIKE %s",
        like,
    )


def swept(bench: Bench) -> tuple[int, int]:
    return sweep.sweep(bench.database, quiet=0)


@pytest.fixture(scope="module")
def states() -> list[tuple[str, int, str | None]]:
    return list(product(("PENDING", "RUNNING"), (1, 3), GONE))


def test_a_job_in_any_state_gets_a_next_step(
    bench: Bench, states: list[tuple[str, int, str | None]]
) -> None:
    """Covers A3.27: both states that are not the end, the first turn and a later one, and
    whatever became of its workflow."""
    made = {}
    for status, turn, gone in states:
        job = bench.submit(bench.connect(f"{status} {turn} {gone}"))
        if turn > 1:
            strand(bench, None, job)
            bench.rows(
                "UPDATE headrace.jobs SET turn = %s WHERE job_id = %s RETURNING 1", turn, job
            )
            with bench.database.transaction() as session:
                jobs.dispatch(session, bench.job(job))
        if status == "RUNNING":
            jobs.begin(bench.database, job, turn, minutes=1)
        strand(bench, gone, f"{job}%")
        made[job] = (status, turn, gone)
    assert swept(bench)[0] == len(states)
    assert [state for job, state in made.items() if not waiting(bench, f"{job}%")] == []
    assert swept(bench) == (0, 0)


@pytest.mark.parametrize("gone", GONE)
def test_a_batch_in_any_state_gets_a_next_step(trail: Trail, gone: str | None) -> None:
    """Covers A3.1: whatever became of the workflow of its stage."""
    trail.land_one()
    bench = trail.bench
    batch = int(trail.batches()[0]["batch_id"])
    swept(bench)
    strand(bench, gone, "stage:%")
    assert swept(bench) != (0, 0)
    assert waiting(bench, f"stage:probe_numbers:1:{batch}:%")


def test_a_job_whose_last_stage_is_not_wanted_any_more_ends(trail: Trail) -> None:
    """It has landed, and waits for nothing that is there."""
    trail.land_one()
    bench = trail.bench
    run_stage(bench.database, "probe_numbers", int(trail.batches()[0]["batch_id"]))
    bench.rows("UPDATE headrace.jobs SET status = 'RUNNING', landed_at = now() RETURNING 1")
    swept(bench)
    assert bench.job(trail.job_id)["status"] == "SUCCEEDED"


def test_a_kind_that_nobody_does_is_refused_at_the_door(bench: Bench) -> None:
    """Whoever brings it: a row that no workflow can do is never made."""
    connection = bench.connect()
    with bench.database.transaction() as session, pytest.raises(BadInput) as refused:
        jobs.submit(session, tenant="acme", user="ann", kind="probe_snyc")
    assert refused.value.message == "Unknown job kind: probe_snyc"
    assert refused.value.hint == "Did you mean probe_sync?"
    assert bench.one("SELECT count(*) FROM headrace.jobs") == 0
    assert set(kinds.SOURCELESS) == set(_WITHOUT_SOURCE)
    assert bench.submit(connection)
