"""Records that processes die of: workers come to their end by them, and then go on without them."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from headrace.engine.cascade import DEATHS, run_stage
from headrace.engine.redrive import again

if TYPE_CHECKING:
    from tests.engine.conftest import Bench, Trail

from tests.engine.conftest import TENANT
from tests.engine.fleet import fleet
from tests.engine.test_cascade import NAME, batch, letters, runs, shown

Start = Callable[[], subprocess.Popen[bytes]]


@pytest.fixture
def start(bench: Bench, plugin_folder: Path, tmp_path: Path) -> Iterator[Start]:
    """`start()`: a worker process."""
    with fleet(bench, plugin_folder, tmp_path) as workers:
        yield workers.launch


def test_what_workers_die_of_is_put_aside_alone(bench: Bench, start: Start) -> None:
    """Covers G15, X5: as many workers as it takes to be sure, and not one more. All other records
    are there, of the deadly one there is a dead letter, and the job is over."""
    job = bench.submit(bench.connect(total=300, deadly=[150]))
    workers = [start()]

    def over() -> bool:
        if workers[-1].poll() is not None:
            assert len(workers) <= DEATHS, "workers go on dying"
            workers.append(start())
        return bool(bench.one("SELECT count(*) = 299 FROM headrace.events"))

    bench.until(over, seconds=120)
    bench.settled(job)
    assert [one.poll() for one in workers] == [9] * DEATHS + [None]
    assert bench.job(job)["status"] == "SUCCEEDED"
    [letter] = bench.rows("SELECT * FROM headrace.dead_letters")
    assert (letter["stage"], letter["source_id"], letter["version"]) == (NAME, "000150", 1)
    assert letter["reason"] == f"The process ends that runs the stage {NAME} on it (exit code 9)."
    assert bench.one("SELECT count(*) FROM headrace.raw_events") == 300


def test_alone_a_stage_makes_the_same(trail: Trail) -> None:
    """Covers G15, X5: rows, refusals, bugs and what PostgreSQL cannot hold, as in this process."""
    payloads = {"a": b"1", "b": b"refuse", "c": b"bug", "d": b"half", "e": b"nul\0", "f": b"6"}
    number = batch(trail, **payloads)
    outcomes = []
    for deaths in (0, DEATHS):
        run_stage(trail.bench.database, NAME, number, isolate=True, deaths=deaths)
        outcomes.append((shown(trail.bench), runs(trail.bench)))
    assert outcomes[0] == outcomes[1]
    assert [row[0] for row in outcomes[0][0]] == ["a", "f"]
    assert [letter[1] for letter in letters(trail.bench)] == ["b", "c", "d", "e"]


def test_a_dead_letter_of_a_deadly_record_is_retried_alone(trail: Trail) -> None:
    """Covers G15, A2.45: whoever answers a person lives on, and the letter stays open; mended, the
    record goes through."""
    number = batch(trail, a=b"1", b=b"die")
    run_stage(trail.bench.database, NAME, number, deaths=DEATHS)
    letter = trail.bench.one("SELECT dead_letter_id FROM headrace.dead_letters")
    retried = again(trail.bench.database, TENANT, None, letter)
    assert retried.state == "open"
    assert "exit code 9" in retried.message
    trail.bench.rows(
        "UPDATE headrace.raw_events SET payload = 'mended' WHERE source_id = 'b' RETURNING version"
    )
    assert again(trail.bench.database, TENANT, None, letter).state == "retried"
    assert shown(trail.bench) == [("a", 1, "1"), ("b", 1, "mended")]
