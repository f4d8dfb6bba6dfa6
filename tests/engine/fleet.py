"""Processes as `headrace worker` makes them, on one database, with what they say kept."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.engine.conftest import Bench


class Fleet:
    """Workers that are started one by one, each with settings of its own."""

    def __init__(self, bench: Bench, plugins: Path, home: Path) -> None:
        self._bench = bench
        self._home = home
        self._kept = {k: v for k, v in os.environ.items() if not k.startswith("HEADRACE_")}
        self._kept |= {"DATABASE_URL": bench.url, "HEADRACE_HOME": str(home)}
        self._kept["PYTHONPATH"] = str(plugins)
        self.started: list[subprocess.Popen[bytes]] = []

    def launch(self, command: str = "worker", **settings: str) -> subprocess.Popen[bytes]:
        """Begin one, and do not wait for it."""
        with (self._home / f"{len(self.started)}.log").open("wb") as log:
            one = subprocess.Popen(
                [sys.executable, "-m", "headrace.cli", command],
                env={**self._kept, **settings},
                stdout=log,
                stderr=log,
            )
        self.started.append(one)
        return one

    def start(self, **settings: str) -> subprocess.Popen[bytes]:
        """Begin one, and wait until it takes work."""
        one = self.launch(**settings)
        self._bench.until(lambda: '"started"' in self.said(one), seconds=120)
        return one

    def said(self, one: subprocess.Popen[bytes]) -> str:
        """What it has printed so far."""
        return (self._home / f"{self.started.index(one)}.log").read_text(errors="replace")

    def name(self, one: subprocess.Popen[bytes]) -> str:
        """Its executor id."""
        return str(
            self._bench.one(
                "SELECT executor_id FROM headrace.workers WHERE executor_id LIKE %s",
                f"%:{one.pid}:%",
            )
        )

    def has(self, one: subprocess.Popen[bytes]) -> set[str]:
        """The ids of the workflows that it has begun and not ended."""
        rows = self._bench.rows(
            "SELECT workflow_uuid FROM dbos.workflow_status"
            " WHERE status = 'PENDING' AND executor_id = %s",
            self.name(one),
        )
        return {row["workflow_uuid"] for row in rows}

    def told(self, one: subprocess.Popen[bytes], number: signal.Signals = signal.SIGTERM) -> float:
        """Tell it to end; when that was."""
        one.send_signal(number)
        return time.monotonic()


@contextmanager
def fleet(bench: Bench, plugins: Path, home: Path) -> Iterator[Fleet]:
    """Workers of a test; killed with it."""
    mine = Fleet(bench, plugins, home)
    try:
        yield mine
    finally:
        for one in mine.started:
            one.kill()
            one.wait()
