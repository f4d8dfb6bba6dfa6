"""The tutorial, executed: each command as it stands there, its output held against the page.

Numbers and what stands as `…` may differ. The reader's own mailbox is the sample, the clone is
this one, and the demo is a smaller one; everything else is done as a reader would do it.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.places import made_folder

from headrace.mailbox.sample import write_sample_mbox
from headrace.store import embedded

PAGE = "docs/tutorial.md"

NOT_HERE = {"git clone <this repository> headrace && cd headrace", "source .venv/bin/activate"}
INSTEAD = {"make demo": "headrace demo --events 3000"}
SERVERS = ("headrace up", "headrace twin")

_VARIES = re.compile(r"(…|\d[\d,.:-]*)")


@pytest.mark.timeout(300)
def test_every_command_does_what_the_page_says(
    blocks: Callable[[str, str], list[str]], desk: Desk
) -> None:
    """Covers A0.21, A2.8, A2.15, A3.10: also what the reader's browser shows of their own mail."""
    spec = blocks(PAGE, "yaml")[0]
    for told in blocks(PAGE, "console"):
        for command, shown in exchanges(told):
            # The page tells the reader to make this mistake.
            desk.write("my-api.yaml", spec.replace("time:", "tiem:") if "tiem" in shown else spec)
            if command not in NOT_HERE:
                said = desk.do(INSTEAD.get(command, command), shown)
                assert agrees(said, shown), f"$ {command}\n{said}\n--- the page:\n{shown}"
            if command in ("headrace up", "headrace open --print"):
                assert "Your flight to Lisbon is confirmed" in desk.browse(said, "flight to Lisbon")


def exchanges(console: str) -> list[tuple[str, str]]:
    """The commands of a block, each with the output shown under it."""
    parts = re.split(r"^\$ (.*)\n", console, flags=re.MULTILINE)
    return list(zip(parts[1::2], parts[2::2], strict=True))


def agrees(said: str, shown: str) -> bool:
    """Whether the lines shown were said, in their order; others may stand between them."""
    lines = iter(said.splitlines())
    return all(any(like(line, wanted) for line in lines) for wanted in shown.split("\n") if wanted)


def like(line: str, wanted: str) -> bool:
    pieces = [
        ".*" if piece == "…" else r"\d[\d,.:-]*" if piece[:1].isdigit() else re.escape(piece)
        for piece in _VARIES.split(wanted.rstrip())
    ]
    return re.fullmatch("".join(pieces), line.rstrip()) is not None


class Desk:
    """A reader's folder, terminals and ports."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder = folder
        self._stack = stack
        self._ports = {port: str(free_port()) for port in ("8000", "8900", "8901")}
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("HEADRACE_", "API_"))}
        self._env = {
            **kept,
            "DATABASE_URL": "",
            "HOME": str(folder),
            "HEADRACE_HOME": str(folder / "home"),
            "SERVICE_PORT": self._ports["8000"],
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "COLUMNS": "200",
            "BROWSER": str(folder / "browser"),
        }
        self._first = dict(self._env)
        # A browser that goes where it is sent, and a reader who says yes.
        (folder / "browser").write_text(
            f"#!{sys.executable}\nimport sys, urllib.request\n"
            "urllib.request.urlopen(sys.argv[1], timeout=60).read()\n"
        )
        (folder / "browser").chmod(0o755)

    def write(self, name: str, text: str) -> None:
        (self._folder / name).write_text(self._here(text), "utf-8")

    def do(self, command: str, shown: str) -> str:
        """Do what a person does who reads `$ command`. Returns what was printed."""
        command = self._here(command)
        if command.startswith("export KEY="):
            printed = (self._folder / "headrace up.txt").read_text("utf-8")
            self._env["KEY"] = re.findall(r"\bhr_[\w-]+", printed)[0]
            return ""
        if command.startswith("export "):
            told = (one.split("=", 1) for one in shlex.split(command)[1:])
            self._env |= {name: value.replace("~", self._env["HOME"]) for name, value in told}
            return ""
        if command == "exit":  # that terminal; the next command is in another one
            self._env = dict(self._first)
            return ""
        if command.startswith("curl "):
            return self._ask(command)
        if command.startswith(SERVERS):
            return self._serve(command, shown)
        ended = subprocess.run(
            ["bash", "-c", command],
            cwd=self._folder,
            env=self._env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
        )
        return ended.stdout

    def browse(self, said: str, words: str) -> str:
        """Open the link that was printed in a new browser, press its button, and search."""
        jar = urllib.request.HTTPCookieProcessor()
        browser = urllib.request.build_opener(jar)
        [(address, token)] = re.findall(r"(http://\S+)/welcome/(\S+)", said)
        browser.addheaders = [("Sec-Fetch-Site", "same-origin"), ("Accept", "text/html")]
        form = urllib.parse.urlencode({"link": token}).encode()
        assert "mail.mbox" in self._opened(browser, f"{address}/welcome", form)
        return self._opened(browser, f"{address}/search?{urllib.parse.urlencode({'q': words})}")

    def _here(self, text: str) -> str:
        for written, port in self._ports.items():
            text = re.sub(rf"\b{written}\b", port, text)
        return text

    def _serve(self, command: str, shown: str) -> str:
        """Start it in a terminal of its own, and read there until everything shown has come."""
        name = " ".join(command.split()[:2])
        file = self._folder / f"{name}.txt"
        with file.open("w") as terminal:
            process = subprocess.Popen(
                shlex.split(command),
                cwd=self._folder,
                env=self._env,
                stdout=terminal,
                stderr=subprocess.STDOUT,
                executable=shutil.which("headrace", path=self._env["PATH"]),
            )
        self._stack.callback(end, process)
        until = time.monotonic() + 60
        while not agrees(file.read_text("utf-8"), shown):
            if process.poll() is not None or time.monotonic() > until:
                break
            time.sleep(0.1)
        return file.read_text("utf-8")

    def _ask(self, command: str) -> str:
        """What curl does with -s, -H and -d, for machines that have none."""
        words = shlex.split(command.replace("$KEY", self._env["KEY"]))[1:]
        headers: dict[str, str] = {}
        url, body = "", None
        while words:
            match words.pop(0):
                case "-s":
                    pass
                case "-H":
                    name, _, value = words.pop(0).partition(": ")
                    headers[name] = value
                case "-d":
                    body = words.pop(0).encode()
                case url:
                    pass
        return self._opened(urllib.request.build_opener(), url, body, headers)

    def _opened(
        self,
        opener: urllib.request.OpenerDirector,
        url: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> str:
        request = urllib.request.Request(url, body, headers or {})
        until = time.monotonic() + 60
        while True:
            try:
                with opener.open(request, timeout=60) as answer:
                    return str(answer.read().decode())
            except urllib.error.URLError as error:
                # It says where it serves a moment before it does.
                if not isinstance(error.reason, ConnectionError) or time.monotonic() > until:
                    raise
                time.sleep(0.2)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    process.wait(30)


@pytest.fixture
def desk() -> Iterator[Desk]:
    folder = made_folder("tutorial")
    try:
        write_sample_mbox(folder / "mail.mbox", messages=2000)
        with ExitStack() as stack:
            # Held open from here, so that not every command has to start and stop it.
            for home in ("home", "headrace-try"):
                stack.enter_context(embedded.postgres(folder / home / "postgres"))
            yield Desk(folder, stack)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
