"""`make soak MINUTES=5`: everything at once, for as long as one likes; in the end all is as there.

Three workers sync a mailbox, a calendar, repositories and a feed, which change all the time and
fail at one call in ten. Every minute a worker is killed, frozen or told to end, and PostgreSQL is
killed or stopped every third. In the end the faults stop, the last syncs run, and every table is
held against its source; every job is accounted for. Ends with 1 where anything differs, or fewer
than 99 jobs in a hundred have succeeded.
"""

from __future__ import annotations

import argparse
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from random import Random
from typing import Any

import psutil
import psycopg

from benchmarks.soak_sources import Sources
from headrace.engine.schema import prepare
from headrace.settings import load
from headrace.store import embedded
from headrace.store.database import Connection, connect

WORKERS = 3
FAULTS = 0.1
AIM = 0.99

_JOBS = """
SELECT kind, status, coalesce(last_error, '') AS reason, count(*) AS jobs,
  sum(turn - 1)::int AS resumed FROM headrace.jobs GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""
_LETTERS = """
SELECT stage, reason, count(*) AS letters FROM headrace.dead_letters WHERE state = 'open'
GROUP BY 1, 2 ORDER BY 3 DESC LIMIT 20
"""
_LEFT = """
SELECT (SELECT count(*) FROM headrace.jobs WHERE completed_at IS NULL)
  + (SELECT count(*) FROM dbos.workflow_status
     WHERE status IN ('ENQUEUED', 'PENDING', 'DELAYED') AND name <> 'headrace.points') AS left_over,
  (SELECT count(*) FROM headrace.batches
     WHERE fetched <> inserted + unchanged + dead_lettered) AS unbalanced
"""


class Soak:
    """The database, the sources and the workers, and what has been done to them."""

    def __init__(self, stack: ExitStack, seed: int) -> None:
        self.random = Random(seed)
        self.blows: Counter[str] = Counter()
        self.home = Path(tempfile.mkdtemp(prefix="headrace-soak-"))
        self.home.chmod(0o755)
        self._folder = self.home / "postgres"
        self.url = stack.enter_context(embedded.postgres(self._folder))
        prepare(self.url)
        self.sources = Sources(stack)
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("API_", "HEADRACE_"))}
        self._own = {"DATABASE_URL": self.url, "HEADRACE_HOME": str(self.home)}
        self._own |= {"HEADRACE_SECRET_KEY": secrets.token_hex(32), **self.sources.environment()}
        self._environment = kept | self._own
        settings = load(**{name.lower(): value for name, value in self._own.items()})
        with connect(self.url) as session, session.transaction():
            self.sources.connect(session, settings, self.home)
        self.workers: list[subprocess.Popen[bytes]] = []
        self._frozen: list[tuple[float, subprocess.Popen[bytes]]] = []
        self._started = 0
        stack.callback(self._end)
        while len(self.workers) < WORKERS:
            self._start()

    def _start(self) -> None:
        self._started += 1
        with (self.home / f"worker-{self._started}.log").open("wb") as log:
            self.workers.append(
                subprocess.Popen(
                    [sys.executable, "-m", "headrace.cli", "worker"],
                    env=self._environment,
                    stdout=log,
                    stderr=log,
                )
            )

    def _end(self) -> None:
        for one in [*self.workers, *(one for _, one in self._frozen)]:
            one.send_signal(signal.SIGCONT)
            one.kill()
            one.wait()

    def hurt_a_worker(self) -> None:
        """Kill one, freeze it or tell it to end; another one takes its place."""
        victim = self.workers.pop(self.random.randrange(len(self.workers)))
        how = self.random.choice([signal.SIGKILL, signal.SIGTERM, signal.SIGSTOP])
        self.blows[how.name] += 1
        victim.send_signal(how)
        if how is signal.SIGSTOP:
            self._frozen.append((time.monotonic() + 20, victim))
        else:
            code = victim.wait(60)
            if code != (-how if how is signal.SIGKILL else 0):
                self.blows[f"{how.name} ended with {code}"] += 1
        self._start()

    def look_after(self) -> None:
        """Wake who has been frozen long enough, and start again what ended by itself."""
        now = time.monotonic()
        for until, one in list(self._frozen):
            if now > until:
                self._frozen.remove((until, one))
                self._wake(one)
        for one in list(self.workers):
            if one.poll() is not None:
                self.blows[f"a worker ended by itself with {one.returncode}"] += 1
                self.workers.remove(one)
                self._start()

    def _wake(self, one: subprocess.Popen[bytes]) -> None:
        """Whoever has been found dead meanwhile ends with 75. One that was frozen before it had
        said that it is there, or while PostgreSQL was away, may not have been: it goes on."""
        try:
            found = self.ask(
                f"SELECT dead_at FROM headrace.workers WHERE executor_id LIKE '%:{one.pid}:%'"
                " AND dead_at IS NOT NULL"
            )
        except psycopg.OperationalError:
            found = []
        one.send_signal(signal.SIGCONT)
        if not found:
            self.workers.append(one)
            return
        try:
            code: object = one.wait(60)
        except subprocess.TimeoutExpired:
            code = "nothing"
            one.kill()
        if code != 75:
            self.blows[f"a worker that was found dead ended with {code}"] += 1

    def hurt_postgres(self) -> None:
        """Kill the server, or stop it without a checkpoint, or in order; and start it again."""
        pid = embedded.status(self._folder).pid
        if pid is None:
            return
        how = self.random.choice([signal.SIGKILL, signal.SIGQUIT, signal.SIGINT])
        self.blows[f"PostgreSQL {how.name}"] += 1
        os.kill(pid, how)
        _gone(pid)
        time.sleep(self.random.uniform(0, 2))
        embedded.revive(self._folder)

    @contextmanager
    def session(self) -> Iterator[Connection]:
        """A transaction. Raises psycopg.OperationalError while the server is away."""
        with connect(self.url) as session, session.transaction():
            yield session

    def ask(self, statement: str) -> list[dict[str, Any]]:
        """What a query answers."""
        with self.session() as session:
            return session.execute(statement.encode()).fetchall()

    def submit(self) -> list[str]:
        """A sync of every connection; where one is under way, that."""
        try:
            with self.session() as session:
                return [self.sources.submit(session, name) for name in self.sources.ids]
        except psycopg.OperationalError:
            return []

    def settle(self, seconds: float = 180) -> bool:
        """Wait until nothing is under way any more."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.look_after()
            if not self.ask(_LEFT)[0]["left_over"]:
                return True
            time.sleep(0.5)
        return False


def _gone(pid: int) -> None:
    """Wait until this process is no more, for a minute."""
    with suppress(psutil.NoSuchProcess, psutil.TimeoutExpired):
        psutil.Process(pid).wait(60)


def run(soak: Soak, minutes: float) -> None:
    """All of it at once."""
    until = time.monotonic() + 60 * minutes
    every = min(60.0, 60 * minutes / 6)
    plan: list[list[Any]] = [
        [every, every, soak.hurt_a_worker],
        [every * 2.5, every * 3, soak.hurt_postgres],
        [0.0, 1.0, lambda: soak.sources.change(soak.random)],
        [0.0, 2.0, soak.submit],
        [1.0, 1.0, soak.look_after],
    ]
    began = time.monotonic()
    soak.sources.fail(FAULTS)
    while (now := time.monotonic()) < until:
        for one in plan:
            due, pause, work = one
            if now - began >= due:
                one[0] = now - began + pause
                work()
        time.sleep(0.05)
    soak.sources.fail(0)


def end(soak: Soak) -> bool:
    """The last syncs, and how it stands; prints that. Returns whether all is well."""
    settled = soak.settle()
    for _ in range(2):  # a walk that began before the last change brings it the next time
        soak.submit()
        settled = soak.settle() and settled
    rows, letters, [left] = soak.ask(_JOBS), soak.ask(_LETTERS), soak.ask(_LEFT)
    with soak.session() as session:
        differ = soak.sources.differences(session)
    print("\nWhat was done: " + ", ".join(f"{n} x {what}" for what, n in soak.blows.items()) + "\n")
    print("| job | ended | how many | turns more | reason |\n|---|---|---|---|---|")
    for row in rows:
        print(_line(row["kind"], row["status"], row["jobs"], row["resumed"], row["reason"]))
    print("\n| source | not here | not there | other |\n|---|---|---|---|")
    for name, counts in differ.items():
        print(_line(name, *counts))
    for row in letters:
        print(f"dead letters: {row['letters']} x {row['stage']}: {row['reason']}")
    over = sum(row["jobs"] for row in rows)
    good = sum(row["jobs"] for row in rows if row["status"] == "SUCCEEDED")
    unexplained = [row for row in rows if row["status"] == "FAILED" and not row["reason"]]
    print(f"\n{good} of {over} jobs have succeeded: {good / max(1, over):.2%}.")
    checks = {
        "everything has come to its end": settled and not left["left_over"],
        "the tables equal the sources": not any(map(any, differ.values())),
        "every batch is accounted for": not left["unbalanced"],
        f"at least {AIM:.0%} have succeeded": good >= AIM * over,
        "every failure says why": not unexplained,
    }
    for what, is_so in checks.items():
        print(f"{'yes' if is_so else 'NO '}  {what}")
    return all(checks.values())


def _line(*cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def main(stop: Callable[[int], None] = sys.exit) -> None:
    """Soak, and say how it was."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    wanted = parser.parse_args()
    print(f"Soaking for {wanted.minutes:g} minutes, seed {wanted.seed}.", flush=True)
    with ExitStack() as stack:
        soak = Soak(stack, wanted.seed)
        print(f"Logs are in {soak.home}.", flush=True)
        run(soak, wanted.minutes)
        well = end(soak)
    stop(0 if well else 1)


if __name__ == "__main__":
    main()
