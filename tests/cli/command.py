"""`headrace` as a person runs it: a process, what it says on each channel, and its exit code."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import structlog
from tests.places import made_folder

from headrace import cli
from headrace.store import embedded

PATIENCE = 100.0
"""Seconds a command may take before it counts as stuck."""

_PROGRESS = re.compile(r"^\S+: [\d,]+ .*/s|Trying again\.$| waits until |Waiting for it\.$")


class Ran(NamedTuple):
    """A command that has ended."""

    code: int
    out: str
    err: str
    seconds: float

    @property
    def json(self) -> Any:
        """The one JSON value on standard output."""
        return json.loads(self.out)

    @property
    def said(self) -> list[str]:
        """The lines on standard error, without those that tell how far it is."""
        return [line for line in self.err.splitlines() if not _PROGRESS.search(line)]

    def ok(self) -> Ran:
        """Fails with what it said unless it ended well."""
        assert self.code == 0, f"It ended with {self.code} and said:\n{self.err}\n{self.out}"
        assert "Traceback" not in self.err
        return self

    def refused(self, code: int, message: str, hint: str) -> Ran:
        """It ended with this code, and with one sentence and one hint that match; not more."""
        assert self.code == code, f"It ended with {self.code} and said:\n{self.err}\n{self.out}"
        assert len(self.said) == 2, self.err
        assert re.search(message, self.said[0]), self.err
        assert self.said[0].endswith((".", "?")), self.err
        assert self.said[1].startswith("  "), self.err
        assert re.search(hint, self.said[1]), self.err
        return self


class Running:
    """A command that was started. What it prints goes to files, so that no pipe holds it up."""

    def __init__(self, command: list[str], environment: dict[str, str], folder: Path) -> None:
        kept = Path(tempfile.mkdtemp(prefix="said-"))
        weakref.finalize(self, shutil.rmtree, kept, ignore_errors=True)
        self._out, self._err = kept / "out", kept / "err"
        self._started = time.monotonic()
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self.process = subprocess.Popen(
                command,
                env=environment,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
            )

    @property
    def out(self) -> str:
        """What it has printed so far on standard output."""
        return self._out.read_text(errors="replace")

    @property
    def err(self) -> str:
        """What it has printed so far on standard error."""
        return self._err.read_text(errors="replace")

    def ended(self, seconds: float = PATIENCE) -> Ran:
        """Wait for its end."""
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            pytest.fail(f"Still running after {seconds:.0f} s. It said:\n{self.err}\n{self.out}")
        return Ran(code, self.out, self.err, time.monotonic() - self._started)

    def says(self, pattern: str, seconds: float = PATIENCE) -> str:
        """Wait until it has said this on either channel; the text that matched."""
        until = time.monotonic() + seconds
        while not (found := re.search(pattern, self.err + self.out)):
            if self.process.poll() is not None or time.monotonic() > until:
                pytest.fail(f"It never said {pattern!r}, but:\n{self.err}\n{self.out}")
            time.sleep(0.05)
        return found[0]

    def stop(self, number: signal.Signals = signal.SIGTERM) -> Ran:
        """Send a signal, and wait for its end."""
        self.process.send_signal(number)
        return self.ended(30)

    def kill(self) -> None:
        """Whatever it does, it is over."""
        self.process.kill()
        self.process.wait()


class House:
    """A data folder and what is set in the environment there; commands run in it."""

    def __init__(self, home: Path, **environment: str) -> None:
        self.home = home
        self.folder = home / "here"
        self.folder.mkdir(exist_ok=True)
        kept = ("PATH", "LANG", "LC_ALL", "TMPDIR", "PYTHONPATH", "LD_LIBRARY_PATH", "HOME")
        self.environment = {name: os.environ[name] for name in kept if name in os.environ}
        self.environment |= {"HEADRACE_HOME": str(home), "NO_COLOR": "1", "COLUMNS": "80"}
        self.environment |= environment
        self._started: list[Running] = []

    def start(self, *arguments: str, **more: str) -> Running:
        """Start `headrace ...`; keywords go into its environment."""
        command = [sys.executable, "-m", "headrace.cli", *arguments]
        environment = {**self.environment, **more}
        self._started.append(Running(command, environment, self.folder))
        return self._started[-1]

    def run(self, *arguments: str, **more: str) -> Ran:
        """Run it to its end."""
        return self.start(*arguments, **more).ended()

    def look(self, *arguments: str, **more: str) -> Ran:
        """Run it in this process, in a tenth of the time: for what only looks, or is refused."""
        printed, said = io.BytesIO(), io.BytesIO()
        out, err = (
            io.TextIOWrapper(raw, encoding="utf-8", errors="backslashreplace")
            for raw in (printed, said)
        )
        with (
            pytest.MonkeyPatch.context() as patched,
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            for name, value in {**self.environment, **more}.items():
                patched.setenv(name, value)
            patched.chdir(self.folder)
            try:
                code = cli._run(arguments)
            finally:
                structlog.reset_defaults()
                logging.disable(logging.NOTSET)
            out.flush()
            err.flush()
        return Ran(code, printed.getvalue().decode(), said.getvalue().decode(), seconds=0.0)

    def json(self, *arguments: str, **more: str) -> Any:
        """What it answers with --json, when all goes well."""
        end = arguments.index("--") if "--" in arguments else len(arguments)
        line = [*arguments[:end], "--json", *arguments[end:]]
        if arguments[0] in ("sync", "ingest"):
            return self.run(*line, **more).ok().json
        return self.look(*line, **more).ok().json

    def write(self, name: str, text: str) -> Path:
        """A file in the folder where commands run."""
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path

    def end(self) -> None:
        """Kill what still runs."""
        for one in self._started:
            one.kill()


@contextmanager
def made_home() -> Iterator[Path]:
    """A data folder; the server's account may pass through it."""
    home = made_folder("cli")
    try:
        yield home
    finally:
        embedded.stop(home / "postgres", force=True)
        shutil.rmtree(home, ignore_errors=True)
