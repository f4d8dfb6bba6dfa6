"""The two services as real processes: Headrace under uvicorn, and the example's workflow engine."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest

ENGINE = Path(__file__).parents[2] / "examples" / "two_services" / "workflow_engine.py"
KEY = "a-key-for-the-tests-only"
PATIENCE = 60.0
"""Seconds after which a process counts as stuck."""


class Process:
    """One started program; what it says goes to files."""

    def __init__(self, command: list[str], environment: dict[str, str], folder: Path) -> None:
        self._out, self._err = folder / "out", folder / "err"
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self.process = subprocess.Popen(
                command, env=environment, cwd=folder, stdin=subprocess.DEVNULL, stdout=out,
                stderr=err, start_new_session=True,
            )  # fmt: skip

    @property
    def said(self) -> str:
        """Everything so far."""
        return self._err.read_text(errors="replace") + self._out.read_text(errors="replace")

    @property
    def running(self) -> bool:
        return self.process.poll() is None

    def until(self, ready: Any) -> None:
        """Wait until something is so, as long as it runs."""
        end = time.monotonic() + PATIENCE
        while not ready():
            if not self.running or time.monotonic() > end:
                pytest.fail(f"It never came; the process said:\n{self.said[-6000:]}")
            time.sleep(0.02)

    def kill(self) -> None:
        """SIGKILL it and all its children."""
        if self.running:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def dies(self) -> None:
        """Wait for its death at a crash point."""
        code = self._wait()
        assert code == -signal.SIGKILL, f"It ended with {code}:\n{self.said[-6000:]}"

    def result(self) -> Any:
        """Wait for its end; the JSON it printed."""
        code = self._wait()
        assert code == 0, f"It ended with {code}:\n{self.said[-6000:]}"
        return json.loads(self._out.read_text())

    def _wait(self) -> int:
        try:
            return self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
            pytest.fail(f"Still running after {PATIENCE:.0f} s:\n{self.said[-6000:]}")


class Services:
    """Starts both on one machine, each with what its environment would hold."""

    def __init__(self, home: Path, database: str, roots: Path) -> None:
        self.home = home
        kept = ("PATH", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "HOME")
        self._plain = {name: os.environ[name] for name in kept if name in os.environ}
        self._plain["HEADRACE_API_KEY"] = KEY
        self._plain["DATABASE_URL"] = database
        self.database = database
        self._roots = roots
        self._started: list[Process] = []
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def headrace(self, crash: str = "", **more: str) -> Process:
        """`uvicorn headrace.api:app`: API and worker in one process. Ready when it returns, unless
        it has died before at the crash point."""
        environment = {
            "HEADRACE_HOME": str(self.home),
            "HEADRACE_DOCUMENT_ROOTS": str(self._roots),
            **({"HEADRACE_CRASH": crash} if crash else {}),
            **more,
        }
        command = ["-m", "uvicorn", "headrace.api:app", "--port", str(self.port)]
        started = self._start(command, environment)
        started.until(self._answers) if not crash else self._soon(started)
        return started

    def engine(self, execution: str, folder: Path, *tenant: str, **more: str) -> Process:
        """The example's workflow engine, with one execution."""
        command = [str(ENGINE), execution, str(folder), *tenant]
        return self._start(command, {"INGESTION_URL": self.url, **more})

    def end(self) -> None:
        """Kill what still runs."""
        for one in self._started:
            one.kill()

    def _start(self, command: list[str], environment: dict[str, str]) -> Process:
        folder = self.home / f"process-{len(self._started)}"
        folder.mkdir()
        made = Process([sys.executable, *command], {**self._plain, **environment}, folder)
        self._started.append(made)
        return made

    def _soon(self, started: Process) -> None:
        end = time.monotonic() + PATIENCE
        while started.running and not self._answers() and time.monotonic() < end:
            time.sleep(0.02)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/health", timeout=1) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False
