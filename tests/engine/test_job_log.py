"""What a run writes to the log, to the letter."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
import structlog

from headrace import telemetry
from headrace.engine import jobs
from headrace.engine.sync import Outcome

if TYPE_CHECKING:
    from tests.engine.conftest import Bench, Trail


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    yield
    structlog.reset_defaults()


def lines(capsys: pytest.CaptureFixture[str], event: str) -> list[dict[str, Any]]:
    written = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    return [one for one in written if one["event"] == event]


def conclude(bench: Bench, job: str, ended: Outcome) -> None:
    telemetry.configure("INFO")  # not in a fixture: standard error is another one there
    run = jobs.begin(bench.database, job, 1, minutes=10)
    assert run is not None
    jobs.conclude(bench.database, job, 1, run, ended)


def test_a_run_is_one_line_with_these_fields(
    trail: Trail, capsys: pytest.CaptureFixture[str]
) -> None:
    """Covers A1.22, A1.21, A1.56: the seven names in camel case, and nothing but the log's own:
    among those, of which job it is."""
    trail.land_one()
    conclude(trail.bench, trail.job_id, Outcome("done"))
    [line] = lines(capsys, "run")
    assert set(line) - {"event", "level", "timestamp", "jobId"} == {
        "itemsFetched",
        "itemsInserted",
        "itemsSkipped",
        "durationMs",
        "userId",
        "batchId",
        "timedOut",
    }
    assert (line["itemsFetched"], line["itemsInserted"], line["itemsSkipped"]) == (1, 1, 0)
    assert (line["userId"], line["timedOut"]) == ("ann", False)
    assert line["batchId"] == trail.batches()[0]["batch_id"]
    assert 0 <= line["durationMs"] < 60_000


def test_a_run_out_of_time_says_so(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    """Covers A1.10, A1.22: timedOut; and no batch where nothing was landed."""
    conclude(bench, bench.submit(bench.connect()), Outcome("more"))
    [line] = lines(capsys, "run")
    assert (line["timedOut"], line["batchId"]) == (True, None)


def test_a_failure_is_logged_with_its_hint(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    """Covers A1.54, A3.46, A3.49: what failed, what to do, and whether it will be tried again."""
    job = bench.submit(bench.connect())
    conclude(bench, job, Outcome("human", error="It is gone.", hint="Make it again."))
    [line] = lines(capsys, "job_failed")
    assert (line["jobId"], line["error"], line["hint"], line["final"], line["level"]) == (
        job,
        "It is gone.",
        "Make it again.",
        True,
        "error",
    )


def test_a_cancelled_job_is_no_failure(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    conclude(bench, bench.submit(bench.connect()), Outcome("stop", error="Cancelled."))
    assert lines(capsys, "job_failed") == []
