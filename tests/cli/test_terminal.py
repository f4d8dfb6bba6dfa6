"""What a person at a terminal sees: bars with rate and time left, reasons at once, Control-C."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from tests.cli.command import House

if TYPE_CHECKING:
    from tests.cli.conftest import Landed

_STEERING = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal:
    """A command on a terminal of its own, 100 columns wide."""

    def __init__(self, house: House, *arguments: str, **more: str) -> None:
        environment = {**house.environment, "TERM": "xterm-256color", "COLUMNS": "100", **more}
        environment.pop("NO_COLOR")
        self.pid, self._screen = pty.fork()
        if self.pid == 0:  # the child
            os.chdir(house.folder)
            command = [sys.executable, "-m", "headrace.cli", *arguments]
            os.execve(sys.executable, command, environment)
        self.shown = ""

    def read(self, seconds: float) -> bool:
        """Take in what is shown; False once the command has closed its terminal."""
        if not select.select([self._screen], [], [], seconds)[0]:
            return True
        try:
            data = os.read(self._screen, 65_536)
        except OSError:
            return False
        self.shown += _STEERING.sub("", data.decode(errors="replace"))
        return bool(data)

    def shows(self, pattern: str, seconds: float = 60) -> str:
        """Wait until this is on the screen; the text that matched."""
        until = time.monotonic() + seconds
        while not (found := re.search(pattern, self.shown)):
            if time.monotonic() > until or not self.read(0.2):
                pytest.fail(f"It never showed {pattern!r}, but:\n{self.shown[-3000:]}")
        return found[0]

    def type(self, keys: str) -> None:
        os.write(self._screen, keys.encode())

    def ended(self, seconds: float = 60) -> int:
        """Wait for its end; its exit code."""
        until = time.monotonic() + seconds
        while self.read(0.2):
            if time.monotonic() > until:
                os.kill(self.pid, signal.SIGKILL)
                pytest.fail(f"Still running:\n{self.shown[-3000:]}")
        os.close(self._screen)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def test_bars_and_control_c(house: House, twins: Callable[..., str], landed: Landed) -> None:
    """Covers A2.34: how many of how many, how fast, and how long it will still take. Control-C ends
    it at once with a sentence that says how to go on; going on shows the rest only."""
    url = twins(total=10_000, cursor_ttl_s=0, latency_ms=25)
    terminal = Terminal(house, "sync", API_BASE_URL=url)
    terminal.shows(r"datasync .*\d,\d{3} of 10,000, \d+ % · [\d,]+/s +0:00:\d\d left")
    terminal.type("\x03")
    told = time.monotonic()
    assert terminal.ended() == 130
    assert time.monotonic() - told < 15
    ending = terminal.shown.strip().splitlines()[-2:]
    assert ending[0].strip() == "Stopped; everything landed so far is kept."
    assert ending[1].strip() == "Go on with: headrace sync datasync"
    again = Terminal(house, "sync", "datasync")
    assert again.ended() == 0, again.shown
    assert "datasync: 10,000 new, 0 unchanged of 10,000 fetched." in again.shown
    assert 'Try: headrace search "a few words"' in again.shown
    landed(house, 10_000)


def test_the_reason_at_once(house: House) -> None:
    """While it is still asking again, a person reads why."""
    terminal = Terminal(house, "sync", API_BASE_URL="http://127.0.0.1:9")
    terminal.shows(r"127\.0\.0\.1:9 cannot be reached: connection refused\. Trying again\.", 20)
    terminal.type("\x03")
    assert terminal.ended() == 130
