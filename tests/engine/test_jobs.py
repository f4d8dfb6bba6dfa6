"""A job's life on its row: what each ending of a turn makes of it, and what it never does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from headrace.engine import jobs
from headrace.engine.jobs import Run
from headrace.engine.lanes import PRIORITIES, band
from headrace.engine.sync import Outcome
from headrace.errors import BadInput

if TYPE_CHECKING:
    from tests.engine.conftest import Bench, Trail


@pytest.fixture
def job(bench: Bench) -> str:
    """A job that waits."""
    return bench.submit(bench.connect())


def begin(bench: Bench, job: str, turn: int = 1) -> Run:
    run = jobs.begin(bench.database, job, turn, minutes=10)
    assert run is not None
    return run


def turn(bench: Bench, job: str, ended: Outcome) -> str:
    """Run the job's next turn to this end."""
    number = bench.job(job)["turn"]
    run = begin(bench, job, number)
    return jobs.conclude(bench.database, job, number, run, ended)


def workflows(bench: Bench) -> list[tuple[Any, ...]]:
    rows = bench.rows(
        "SELECT workflow_uuid, status, queue_name, priority FROM dbos.workflow_status"
        " ORDER BY created_at, workflow_uuid"
    )
    return [tuple(row.values()) for row in rows]


def health(bench: Bench) -> tuple[Any, ...]:
    [row] = bench.rows("SELECT health, health_reason, health_hint FROM headrace.connections")
    return tuple(row.values())


FAILED = Outcome("failed", error="A bug.", hint="Report it.")


def test_a_job_and_its_workflow_are_one_commit(bench: Bench, job: str) -> None:
    """Covers A1.26, A3.2, A3.10, A3.37: PENDING, with a workflow of its own id on the queue."""
    row = bench.job(job)
    assert (row["status"], row["turn"], row["attempts"], row["completed_at"]) == (
        "PENDING",
        1,
        0,
        None,
    )
    first, _ = band("medium", "interactive")
    assert workflows(bench) == [(job, "ENQUEUED", "headrace_jobs", first)]
    with bench.database.transaction() as session:
        jobs.submit(session, tenant="acme", user="ann", kind="probe_sync")
        session.execute("ROLLBACK")
    assert len(workflows(bench)) == bench.one("SELECT count(*) FROM headrace.jobs") == 1


def test_asking_again_enqueues_nothing(bench: Bench) -> None:
    """Covers X10: one active job a connection, one workflow."""
    connection = bench.connect()
    assert bench.submit(connection) == bench.submit(connection)
    assert len(workflows(bench)) == 1


@pytest.mark.parametrize("priority", PRIORITIES)
def test_priorities_are_numbers_to_the_queue(bench: Bench, priority: str) -> None:
    """Covers A3.41: urgent, high, medium, low; lower runs first. Later turns keep theirs, and are
    those of a backfill."""
    job = bench.submit(bench.connect(), priority=priority)
    turn(bench, job, Outcome("more"))
    expected = [band(priority, "interactive")[0], band(priority, "backfill")[0]]
    assert [one[3] for one in workflows(bench)] == expected


@pytest.mark.parametrize(
    ("ended", "status", "state"),
    [
        (Outcome("done"), "SUCCEEDED", "active"),
        (Outcome("human", error="No.", hint="Ask."), "FAILED", "error"),
        (Outcome("human", error="No.", hint="Sign in.", reauth=True), "FAILED", "needs_reauth"),
        (Outcome("more"), "PENDING", "active"),
        (Outcome("retry", after=60, error="Busy.", hint="Wait."), "PENDING", "active"),
        (FAILED, "PENDING", "active"),
    ],
    ids=["done", "human", "reauth", "more", "wait", "bug"],
)
def test_how_a_turn_ends(bench: Bench, job: str, ended: Outcome, status: str, state: str) -> None:
    """Covers X1, A3.33, A3.11: the job's status, and the health of its connection."""
    assert turn(bench, job, ended) == status
    row = bench.job(job)
    assert row["status"] == status
    assert (row["completed_at"] is not None) == (status in ("SUCCEEDED", "FAILED"))
    assert row["started_at"] is not None
    assert (row["last_error"], row["hint"]) == (ended.error or None, ended.hint or None)
    assert health(bench)[0] == state
    if status == "FAILED":
        assert health(bench)[1:] == (ended.error, ended.hint)
    again = status == "PENDING"
    assert row["turn"] == 1 + again
    assert [one[0] for one in workflows(bench)] == [job, f"{job}/2"][: 1 + again]


def test_only_the_five_words_are_states(bench: Bench, job: str) -> None:
    """Covers X1, A4.7: PostgreSQL itself refuses another word, and an end without a time."""
    for change in ("status = 'queued'", "status = 'FAILED'", "completed_at = now()"):
        with pytest.raises(Exception, match="violates check constraint"):
            bench.rows(f"UPDATE headrace.jobs SET {change} RETURNING job_id")


def test_a_wait_is_kept_to_and_is_no_failure(bench: Bench, job: str) -> None:
    """Covers A2.32, A2.33, R6: as long as the source asked, held by nobody meanwhile."""
    turn(bench, job, Outcome("retry", after=1200, error="Busy.", hint="Wait."))
    row = bench.job(job)
    wait = row["resume_at"] - datetime.now(UTC)
    assert timedelta(seconds=1190) < wait <= timedelta(seconds=1200)
    assert row["attempts"] == 0
    [_, (_, status, *_)] = workflows(bench)
    assert status == "DELAYED"
    delayed = bench.one("SELECT max(delay_until_epoch_ms) FROM dbos.workflow_status")
    assert abs(delayed / 1000 - row["resume_at"].timestamp()) < 0.01


def test_five_failures_without_progress_end_a_job(bench: Bench, job: str) -> None:
    """Covers A1.12, A3.40, X4: each wait about twice the last, and the fifth failure is the end."""
    waits = []
    for _ in range(4):
        assert turn(bench, job, FAILED) == "PENDING"
        waits.append((bench.job(job)["resume_at"] - datetime.now(UTC)).total_seconds())
    assert [bench.job(job)["attempts"], bench.job(job)["turn"]] == [4, 5]
    for at, wait in enumerate(waits):
        assert 0.5 * 2 ** (at + 1) - 0.5 <= wait <= 2 ** (at + 1)
    assert turn(bench, job, FAILED) == "FAILED"
    row = bench.job(job)
    assert (row["attempts"], row["turn"], row["last_error"]) == (5, 5, "A bug.")
    assert health(bench) == ("error", "A bug.", "Report it.")


def test_a_limit_that_names_no_time_is_left_alone_twice_as_long_each_time(
    bench: Bench, job: str
) -> None:
    """Covers H5: a minute, two, four, eight, and then a person is told."""
    limited = Outcome("retry", after=60, failure=True, doubles=True, error="Limited.")
    waits = []
    for _ in range(4):
        assert turn(bench, job, limited) == "PENDING"
        waits.append((bench.job(job)["resume_at"] - datetime.now(UTC)).total_seconds())
    assert [round(wait / 60) for wait in waits] == [1, 2, 4, 8]
    assert turn(bench, job, limited) == "FAILED"


def test_progress_makes_failures_count_from_one_again(trail: Trail) -> None:
    """Covers X4, A1.12: five attempts are for getting nowhere."""
    bench, job = trail.bench, trail.job_id
    for _ in range(4):
        turn(bench, job, FAILED)
    number = bench.job(job)["turn"]
    run = begin(bench, job, number)
    trail.land_one()
    assert jobs.conclude(bench.database, job, number, run, FAILED) == "PENDING"
    assert bench.job(job)["attempts"] == 1
    assert (bench.job(job)["resume_at"] - datetime.now(UTC)).total_seconds() <= 2


def test_a_source_that_says_at_once_is_not_asked_without_a_pause(trail: Trail) -> None:
    """Covers R6: "try again in 0 seconds", for ever, is a second's wait; after progress, none."""
    bench, job = trail.bench, trail.job_id
    at_once = Outcome("retry", after=0, error="Busy.", hint="Wait.")
    turn(bench, job, at_once)
    assert (bench.job(job)["resume_at"] - datetime.now(UTC)).total_seconds() > 0.5
    run = begin(bench, job, 2)
    trail.land_one()
    jobs.conclude(bench.database, job, 2, run, at_once)
    assert bench.job(job)["resume_at"] is None


def test_a_run_out_of_time_goes_on_at_once(bench: Bench, job: str) -> None:
    """Covers A1.10, A1.6: the cap ends a run, not the job; the summary says so."""
    turn(bench, job, Outcome("more"))
    row = bench.job(job)
    assert (row["status"], row["resume_at"], row["summary"]["timed_out"]) == ("PENDING", None, True)
    assert workflows(bench)[1][:2] == (f"{job}/2", "ENQUEUED")


@pytest.mark.parametrize("ended", [Outcome("done"), Outcome("more"), FAILED])
def test_concluding_twice_changes_nothing(bench: Bench, job: str, ended: Outcome) -> None:
    """Covers A4.16, A1.52: the step is run again after a crash that came after its commit."""
    run = begin(bench, job)
    jobs.conclude(bench.database, job, 1, run, ended)
    before = (bench.job(job), workflows(bench), health(bench))
    jobs.conclude(bench.database, job, 1, run, ended)
    jobs.conclude(bench.database, job, 1, run, Outcome("human", error="other", hint="other"))
    assert (bench.job(job), workflows(bench), health(bench)) == before


def test_only_the_newest_turn_begins(bench: Bench, job: str) -> None:
    """Covers X10: a workflow of an older turn finds that its time is over."""
    first = begin(bench, job)
    assert begin(bench, job).landed_before == first.landed_before  # recovered: its own turn again
    jobs.conclude(bench.database, job, 1, first, Outcome("more"))
    assert jobs.begin(bench.database, job, 1, minutes=1) is None
    begin(bench, job, 2)


def test_a_cancelled_job_is_over(bench: Bench, job: str) -> None:
    """Covers A4.1, X1: it does not begin, and what ends later does not revive it."""
    run = begin(bench, job)
    with bench.database.transaction() as session:
        assert jobs.cancel(session, job)["status"] == "CANCELLED"
    for state in ("stop", "done", "more", "failed"):
        jobs.conclude(bench.database, job, 1, run, Outcome(state))
    assert bench.job(job)["status"] == "CANCELLED"
    assert jobs.begin(bench.database, job, 1, minutes=1) is None
    assert len(workflows(bench)) == 1
    with pytest.raises(BadInput, match="cannot be cancelled"), bench.database.connection() as one:
        jobs.cancel(one, job)


@pytest.mark.parametrize("end", ["failed", "cancelled"])
def test_a_retried_job_is_taken_up_in_a_new_turn(bench: Bench, job: str, end: str) -> None:
    """Covers A3.40, A4.1: its attempts begin anew, its words of failure are gone."""
    if end == "failed":
        turn(bench, job, Outcome("human", error="No.", hint="Ask."))
    else:
        with bench.database.transaction() as session:
            jobs.cancel(session, job)
    with bench.database.transaction() as session:
        jobs.retry(session, job)
    row = bench.job(job)
    assert (row["status"], row["turn"], row["attempts"]) == ("PENDING", 2, 0)
    assert (row["last_error"], row["completed_at"]) == (None, None)
    assert turn(bench, job, Outcome("done")) == "SUCCEEDED"


def test_what_goes_well_cannot_be_retried(bench: Bench, job: str) -> None:
    for _ in range(2):  # while it waits, and after it has succeeded
        with pytest.raises(BadInput, match="cannot be retried"), bench.database.connection() as one:
            jobs.retry(one, job)
        if bench.job(job)["status"] == "PENDING":
            turn(bench, job, Outcome("done"))


def test_an_old_job_does_not_push_aside_the_one_under_way(bench: Bench) -> None:
    """Covers X10: retrying a failed job while its connection has a newer one is refused."""
    connection = bench.connect()
    old = bench.submit(connection)
    turn(bench, old, Outcome("human", error="No.", hint="Ask."))
    bench.submit(connection)
    with pytest.raises(BadInput, match="under way"), bench.database.transaction() as session:
        jobs.retry(session, old)
    assert bench.job(old)["status"] == "FAILED"


def test_people_submit_cancel_and_retry_their_own(bench: Bench, job: str) -> None:
    """Covers A1.20, A4.8: under row-level security, which holds again right after."""
    with bench.database.people("acme", "bob") as session:
        for act in (jobs.cancel, jobs.retry):
            with pytest.raises(BadInput):
                act(session, job)
        made, new = jobs.submit(session, tenant="acme", user="bob", kind="probe_sync")
        assert new
        assert {row["job_id"] for row in listed(session)} == {made["job_id"]}
    with bench.database.people("acme", "ann") as session:
        jobs.cancel(session, job)
        jobs.retry(session, job)
        assert {row["job_id"] for row in listed(session)} == {job}


def test_an_error_may_say_anything(bench: Bench, job: str) -> None:
    """Covers R12, A1.54: words that quote the source may hold what PostgreSQL refuses; a turn that
    cannot be concluded would be run again for ever."""
    odd = Outcome("human", error="It said \0 and \ud800.", hint="\0" + "h" * 100_000)
    assert turn(bench, job, odd) == "FAILED"
    assert bench.job(job)["last_error"] == "It said  and \N{REPLACEMENT CHARACTER}."


def listed(session: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = session.execute("SELECT job_id FROM headrace.jobs").fetchall()
    return rows
