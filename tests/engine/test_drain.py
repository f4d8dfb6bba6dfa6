"""A worker that is told to end: what it was at goes on elsewhere at once; nothing is doubled."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.engine.fleet import Fleet, fleet

if TYPE_CHECKING:
    from tests.engine.conftest import Bench

AT_ONCE = 2.0
"""Under half a second on a machine that does nothing else; a death is found after two."""

_OWNERS = """
SELECT workflow_uuid, executor_id FROM dbos.workflow_status
WHERE status IN ('PENDING', 'SUCCESS') AND name = 'headrace.job'
"""


@pytest.fixture
def workers(bench: Bench, plugin_folder: Path, tmp_path: Path) -> Iterator[Fleet]:
    with fleet(bench, plugin_folder, tmp_path) as mine:
        yield mine


def test_what_it_was_at_goes_on_elsewhere_at_once(bench: Bench, workers: Fleet) -> None:
    """Covers A2.34, A2.41, A4.16: SIGTERM in the middle of four walks. The other worker has all of
    them at once, in the same turn; no page is landed or fetched twice, and no death is counted."""
    first = workers.start(HEADRACE_WORKERS="4")
    connected = [
        bench.connect(f"numbers-{n}", total=6_000, page=50, latency_ms=250) for n in range(4)
    ]
    ids = {bench.submit(one) for one in connected}
    bench.until(lambda: workers.has(first) >= ids and _landed(bench) > 800)
    second = workers.start(HEADRACE_WORKERS="4")
    name = workers.name(second)
    # So slow that the walks last until a second worker is there, and quick where they go on.
    quick = "UPDATE headrace.connections SET config = config || '{\"latency_ms\": 20}' RETURNING 1"
    bench.rows(quick)
    told = workers.told(first)
    took: dict[str, float] = {}

    def all_taken() -> bool:
        for row in bench.rows(_OWNERS):
            if row["executor_id"] == name:
                took.setdefault(row["workflow_uuid"], time.monotonic() - told)
        return took.keys() >= ids

    bench.until(all_taken, seconds=20)
    assert first.wait(10) == 0
    print(
        f"handed over after {sorted(took.values())} s, gone after {time.monotonic() - told:.2f} s"
    )
    assert max(took.values()) < AT_ONCE
    bench.settled(*ids)
    for one in ids:
        row = bench.job(one)
        assert (row["status"], row["turn"], row["attempts"]) == ("SUCCEEDED", 1, 0)
    counts = bench.rows(
        "SELECT count(*), count(DISTINCT source_id) AS apart FROM headrace.raw_events"
        " GROUP BY stream_id"
    )
    assert [(row["count"], row["apart"]) for row in counts] == [(6_000, 6_000)] * 4
    assert bench.one("SELECT sum(pages) FROM headrace.batches") == 4 * 120
    assert bench.one("SELECT sum(unchanged) FROM headrace.batches") == 0
    assert bench.one("SELECT max(recovery_attempts) FROM dbos.workflow_status") == 1


def test_killed_while_it_leaves(bench: Bench, workers: Fleet) -> None:
    """Covers A2.34: a death in the middle of leaving is a death like any other."""
    first = workers.start(HEADRACE_CRASH="before-hand-over")
    job = bench.submit(bench.connect(total=6_000, page=50, latency_ms=20))
    bench.until(lambda: _landed(bench) > 500)
    workers.start()
    workers.told(first)
    assert first.wait(20) == -signal.SIGKILL
    bench.settled(job)
    assert bench.numbers() == [(f"{n:06}", 1) for n in range(6_000)]


def test_a_stage_that_does_not_end_is_cut_off(bench: Bench, workers: Fleet, tmp_path: Path) -> None:
    """It has until the limit. Then the process ends although the stage cannot be stopped, with 0,
    and the stage goes on elsewhere, from its beginning. A second signal does not wait for it."""
    only = workers.start(HEADRACE_DRAIN_SECONDS="2")
    bench.submit(bench.connect(total=3, lasting=[1]))
    bench.until((tmp_path / f"{only.pid} lasts").exists)
    told = workers.told(only)
    assert only.wait(15) == 0
    assert 1.9 < time.monotonic() - told < 8
    assert bench.rows("SELECT status FROM dbos.workflow_status WHERE name = 'headrace.stage'") == [
        {"status": "ENQUEUED"}
    ]

    another = workers.start(HEADRACE_DRAIN_SECONDS="60")
    bench.until((tmp_path / f"{another.pid} lasts").exists)
    workers.told(another)
    with pytest.raises(Exception, match="timed out"):
        another.wait(1.5)
    told = workers.told(another)
    assert another.wait(10) == 128 + signal.SIGTERM
    assert time.monotonic() - told < 4
    assert bench.rows("SELECT status FROM dbos.workflow_status WHERE name = 'headrace.stage'") == [
        {"status": "ENQUEUED"}
    ]


def _landed(bench: Bench) -> int:
    return int(bench.one("SELECT count(*) FROM headrace.raw_events"))
