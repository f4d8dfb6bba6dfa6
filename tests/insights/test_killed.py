"""A worker that ends while a language model thinks: the job goes on where it was."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.embedding.endpoint import Said, serving
from tests.insights.conftest import answer, said
from tests.insights.test_jobs import threads

from headrace.engine.runtime import engine
from headrace.settings import Settings

if TYPE_CHECKING:
    from tests.insights.conftest import Desk


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_is_made_twice_and_nothing_is_lost(
    desk: Desk, tmp_path: Path, number: signal.Signals
) -> None:
    """Covers A1.52: killed, or told to end, while the model is asked of the third of five threads,
    and does not answer before the worker has gone; the first two are not asked for again, and each
    is there once."""
    threads(desk, 5)
    workers: list[subprocess.Popen[bytes]] = []
    told: list[str] = []

    def answers(request: dict[str, Any], asked: int) -> Said:
        told.append(request["messages"][1]["content"])
        if asked == 2:
            workers[0].send_signal(number)
            workers[0].wait()
        return said(answer())

    with serving(answers) as model:
        job_id = desk.submit("thread_summary")
        named: dict[str, Any] = {"headrace_llm_url": model.url, "headrace_llm_model": "small"}
        environment = {
            **os.environ,
            "DATABASE_URL": desk.database.url,
            "HEADRACE_HOME": str(tmp_path),
            **{name.upper(): value for name, value in named.items()},
        }
        command = [sys.executable, "-m", "headrace.cli", "worker"]
        workers.append(subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL))
        ended = workers[0].wait(60)
        assert ended == (0 if number == signal.SIGTERM else -number)
        assert len(told) == 3
        made = desk.made(job_id)
        assert len(made) == 2
        with engine(desk.database.url, Settings(_env_file=None, headrace_home=tmp_path, **named)):
            until = time.monotonic() + 60
            while (row := desk.job(job_id))["status"] not in ("SUCCEEDED", "FAILED"):
                assert time.monotonic() < until, row
                time.sleep(0.05)
    assert row["status"] == "SUCCEEDED", row
    assert row["summary"]["made"] == 5
    assert Counter(Counter(told).values()) == {1: 4, 2: 1}
    assert Counter(told)[told[2]] == 2
    assert len({one["subject"] for one in desk.made(job_id)}) == len(desk.made(job_id)) == 5
    assert all(one in desk.made(job_id) for one in made)
