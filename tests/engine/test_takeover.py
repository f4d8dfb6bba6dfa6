"""Two workers, and one is killed without warning: the other finishes what it had begun."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from headrace.engine.takeover import Liveness

if TYPE_CHECKING:
    from tests.engine.conftest import Bench

Start = Callable[[int], list[subprocess.Popen[bytes]]]


@pytest.fixture
def workers(url: str, plugin_folder: Path, tmp_path: Path) -> Iterator[Start]:
    """`workers(2)`: processes as `headrace worker` makes them."""
    started: list[subprocess.Popen[bytes]] = []
    environment = {
        **os.environ,
        "DATABASE_URL": url,
        "HEADRACE_HOME": str(tmp_path),
        "PYTHONPATH": str(plugin_folder),
    }

    def start(number: int) -> list[subprocess.Popen[bytes]]:
        command = [sys.executable, "-m", "headrace.cli", "worker"]
        started.extend(subprocess.Popen(command, env=environment) for _ in range(number))
        return started

    yield start
    for one in started:
        one.kill()
        one.wait()


def test_told_to_leave_while_it_registers(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Covers A2.41: its row is there and its lock not yet; nobody has to find out that it died."""

    def told(self: Liveness) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Liveness, "_hold", told)
    leaving = Liveness(bench.database, "leaving")
    with pytest.raises(KeyboardInterrupt):
        leaving.register()
    leaving.stop()
    [row] = bench.rows("SELECT dead_at FROM headrace.workers WHERE executor_id = 'leaving'")
    assert row["dead_at"] is not None


def test_a_killed_workers_job_is_finished_by_the_other(bench: Bench, workers: Start) -> None:
    """Covers A2.34, A2.41, A3.56, A4.16: in seconds, by itself, nothing lost and nothing twice."""
    both = workers(2)
    bench.until(lambda: bench.one("SELECT count(*) FROM headrace.workers") == 2)
    job = bench.submit(bench.connect(total=4_000, page=50, latency_ms=20))
    owner = "SELECT executor_id FROM dbos.workflow_status WHERE workflow_uuid = %s"
    bench.until(lambda: bench.one("SELECT count(*) FROM headrace.raw_events") >= 1_000)
    first = bench.one(owner, job)
    [victim] = [one for one in both if f":{one.pid}:" in first]
    victim.send_signal(signal.SIGKILL)
    killed = time.monotonic()
    bench.until(lambda: bench.one(owner, job) not in (first, None))
    taken = time.monotonic() - killed
    bench.settled(job)
    print(f"taken over after {taken:.2f} s, finished after {time.monotonic() - killed:.2f} s")
    assert taken < 15
    assert (bench.job(job)["status"], bench.job(job)["turn"]) == ("SUCCEEDED", 1)
    assert bench.numbers() == [(f"{n:06}", 1) for n in range(4_000)]


def test_a_worker_that_is_told_to_stop_leaves_at_once(bench: Bench, workers: Start) -> None:
    """Covers A2.46: SIGTERM ends it well, its row says so, and the job waits for the next."""
    [one] = workers(1)
    job = bench.submit(bench.connect(total=100_000, page=10, latency_ms=20))
    bench.until(lambda: bench.one("SELECT count(*) FROM headrace.raw_events") > 0)
    one.send_signal(signal.SIGTERM)
    assert one.wait(15) == 0
    assert bench.one("SELECT dead_at IS NOT NULL FROM headrace.workers")
    assert bench.job(job)["status"] == "RUNNING"
