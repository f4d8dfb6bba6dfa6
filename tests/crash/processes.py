"""`headrace` commands as real processes, to be killed, stopped and started again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

PATIENCE = 90.0
"""Seconds a command may take before it counts as stuck."""


class Running:
    """One started command. What it prints goes to a file, so that no pipe keeps it waiting."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self._log = log
        with log.open("ab") as out:
            # A session of its own, so that a test can kill the whole group and not itself.
            self.process = subprocess.Popen(
                command,
                env=environment,
                cwd=log.parent,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        self.started = time.monotonic()

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def running(self) -> bool:
        return self.process.poll() is None

    @property
    def said(self) -> str:
        """What it has printed so far."""
        return self._log.read_text(errors="replace")

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the process, which may have ended meanwhile."""
        if self.running:
            os.kill(self.pid, number)

    def kill(self, *, group: bool = False, reap: bool = True) -> bool:
        """SIGKILL it, or everything in its process group. Returns whether it was still running.

        Not reaped, it keeps its process id although it is dead.
        """
        was_running = self.running
        if was_running and group:
            os.killpg(self.pid, signal.SIGKILL)
        self.process.kill()
        if reap:
            self.process.wait()
        return was_running

    def wait(self, seconds: float = PATIENCE) -> int:
        """Its exit code; negative is the signal that ended it."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            pytest.fail(f"Still running after {seconds:.0f} s. It printed:\n{self.said[-6000:]}")

    def succeeds(self, seconds: float = PATIENCE) -> None:
        """Wait, and fail with what it printed unless it ended well."""
        code = self.wait(seconds)
        assert code == 0, f"It ended with {code}. It printed:\n{self.said[-6000:]}"

    def dies(self, point: str, seconds: float = PATIENCE) -> None:
        """Wait for its death at a crash point, which must come."""
        code = self.wait(seconds)
        assert code == -signal.SIGKILL, (
            f"It was to die at {point} and ended with {code}. It printed:\n{self.said[-6000:]}"
        )


class Commands:
    """Starts `headrace` on one database, from one home folder; ends all of them with the test."""

    def __init__(self, home: Path, database: str) -> None:
        self.home = home
        kept = ("PATH", "LANG", "LC_ALL", "TMPDIR", "PYTHONPATH", "LD_LIBRARY_PATH")
        self._environment = {name: os.environ[name] for name in kept if name in os.environ}
        self._environment |= {"HEADRACE_HOME": str(home), "NO_COLOR": "1", "COLUMNS": "200"}
        if database:
            self._environment["DATABASE_URL"] = database
        self._started: list[Running] = []

    def start(self, *arguments: str, crash: str = "", **more: str) -> Running:
        """Start `headrace ...`; `crash` names the point, and after a colon the passing, to die
        at. Other keywords go into its environment."""
        environment = {**self._environment, **more}
        if crash:
            environment["HEADRACE_CRASH"] = crash
        log = self.home / f"{len(self._started):03}-{arguments[0]}.log"
        command = [sys.executable, "-m", "headrace.cli", *arguments]
        self._started.append(Running(command, environment, log))
        return self._started[-1]

    def end(self) -> None:
        """Kill what still runs."""
        for one in self._started:
            one.send(signal.SIGCONT)
            one.kill()
