"""`make bench-takeover`: how soon a dead worker's jobs go on elsewhere, and if all is right then.

Two workers live, a third one is hurt again and again: killed as a neighbour and on another machine,
frozen, cut off from the network. Times are of PostgreSQL's clock and of each job: from the blow to
the moment another worker has it (taken), and to the transaction of its next page (goes on).
"""

from __future__ import annotations

import argparse
import math
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from benchmarks.docs import write
from benchmarks.elsewhere import Machine, forwarded, inside, missing, reachable, send
from benchmarks.machine import describe
from headrace.engine import intake
from headrace.engine.schema import prepare
from headrace.settings import load
from headrace.store.database import Database
from headrace.twin import run_twin

JOBS, RECORDS, PAGE, LATENCY_MS = 12, 4_000, 100, 100
HEAD = (
    "| what happens to a worker | rounds | jobs | taken p50 s | p95 | max | goes on p50 s | p95 |"
    " max | lost | doubled | written by the dead |\n" + "|---" * 12 + "|"
)
KINDS = {
    "kill": "SIGKILL, same machine",
    "kill-elsewhere": "SIGKILL, another machine",
    "freeze": "SIGSTOP, later SIGCONT",
    "partition": "no packet passes, later all do",
    "deaf": "what is sent to it is lost, later nothing is",
}
SHARES = (0.5, 0.95, 1.0)
AWAY_SECONDS = 2.0
"""How long after the last of its jobs has gone on elsewhere a frozen one wakes up."""

_SPEC = """\
name: {name}
base_url: {base}
streams:
  events: {{path: /events, time: timestamp, limit: {{value: {page}}}}}
"""

_HELD = """
SELECT s.workflow_uuid AS job, (SELECT max(c.epoch) FROM headrace.checkpoints c
  JOIN headrace.streams t USING (tenant_id, stream_id) JOIN headrace.jobs j
    ON j.tenant_id = t.tenant_id AND j.connection_id = t.connection_id
  WHERE j.job_id = s.workflow_uuid) AS epoch
FROM dbos.workflow_status s
JOIN headrace.jobs j ON j.job_id = s.workflow_uuid AND j.status = 'RUNNING'
WHERE s.executor_id = %s AND s.status = 'PENDING' AND s.name = 'headrace.job'
"""

_MOVED = """
SELECT s.started_at_epoch_ms / 1000.0 AS taken, (SELECT extract(epoch FROM min(b.committed_at))
  FROM headrace.batches b WHERE b.job_id = s.workflow_uuid AND b.epoch > %(epoch)s) AS on_at
FROM dbos.workflow_status s
WHERE s.workflow_uuid = %(job)s AND s.executor_id <> %(dead)s AND s.started_at_epoch_ms > %(ms)s
"""

WRONG = """
SELECT %(wanted)s * count(DISTINCT stream_id) - count(DISTINCT (stream_id, source_id)) AS lost,
  count(*) - count(DISTINCT (stream_id, source_id)) AS doubled,
  (SELECT count(*) FROM (SELECT epoch < max(epoch) OVER (PARTITION BY stream_id ORDER BY batch_id)
     AS late FROM headrace.batches) b WHERE late) AS late
FROM headrace.raw_events
"""


class Bench:
    """The database, the source, and the workers."""

    def __init__(self, stack: ExitStack, jobs: int) -> None:
        self._stack = stack
        self._jobs = jobs
        self.home = Path(tempfile.mkdtemp(prefix="headrace-takeover-"))
        self.home.chmod(0o755)
        self.machine = stack.enter_context(Machine())
        self.url = stack.enter_context(reachable(self.home / "postgres", self.machine.here))
        prepare(self.url)
        twin = stack.enter_context(run_twin(total=RECORDS, latency_ms=LATENCY_MS))
        place = urlsplit(twin)
        assert place.hostname is not None
        assert place.port is not None
        port = stack.enter_context(forwarded(place.hostname, place.port))
        self.base = f"http://{self.machine.here}:{port}"
        self._store = Database(self.url, connections=2).open()
        stack.callback(self._store.close)
        self._number = 0
        self.started: list[subprocess.Popen[bytes]] = []
        stack.callback(self._end)
        for _ in range(2):
            self.worker(workers="16")

    def _end(self) -> None:
        for one in self.started:
            send(one, signal.SIGCONT)
            one.kill()
            one.wait()

    def ask(self, statement: str, values: Any = None) -> list[dict[str, Any]]:
        """What a query answers."""
        with self._store.connection() as connection:
            return connection.execute(statement.encode(), values).fetchall()

    def worker(self, *, elsewhere: bool = False, workers: str = "8") -> subprocess.Popen[bytes]:
        """Start one more, and wait until it takes work."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("API_", "HEADRACE_"))}
        own = {"DATABASE_URL": self.url, "HEADRACE_HOME": str(self.home)}
        own["HEADRACE_WORKERS"] = workers
        log = self.home / f"worker-{len(self.started)}.log"
        command = [sys.executable, "-m", "headrace.cli", "worker"]
        if elsewhere:
            one = self.machine.start(command, {**kept, **own}, log)
        else:
            with log.open("wb") as out:
                one = subprocess.Popen(command, env={**kept, **own}, stdout=out, stderr=out)
        self.started.append(one)
        self.until(lambda: '"started"' in log.read_text(errors="replace"), "a worker starts")
        return one

    def name(self, newer_than: str) -> str:
        """The newest worker's executor id."""
        [row] = self.ask(
            "SELECT executor_id FROM headrace.workers WHERE started_at > %s"
            " ORDER BY started_at DESC LIMIT 1",
            [newer_than],
        )
        return str(row["executor_id"])

    def submit(self, victim: str) -> None:
        """A round's jobs, each of a connection of its own, one by one: otherwise whoever looks
        first takes all of them. The others may be quicker every time; so more of them until one is
        the victim's."""
        for number in range(10 * self._jobs):
            if number >= self._jobs and self.ask(_HELD, [victim]):
                break
            self._number += 1
            name = f"events-{self._number}"
            spec = self.home / f"{name}.yaml"
            spec.write_text(_SPEC.format(name=name, base=self.base, page=PAGE))
            wanted = intake.rest_spec(spec)
            with self._store.transaction() as connection:
                row = intake.connect(connection, "default", "me", wanted, load())
                intake.submit_sync(connection, row)
            time.sleep(random.uniform(0.02, 0.1))
        self.until(
            lambda: any(one["epoch"] for one in self.ask(_HELD, [victim])), "the worker has a job"
        )

    def until(self, ready: Callable[[], object], what: str, seconds: float = 90) -> None:
        """Wait for it."""
        end = time.monotonic() + seconds
        while not ready():
            if time.monotonic() > end:
                raise SystemExit(f"It never came to be that {what}.")
            time.sleep(0.05)

    def over(self) -> bool:
        """Whether every job has succeeded."""
        return not self.ask("SELECT FROM headrace.jobs WHERE status <> 'SUCCEEDED' LIMIT 1")


def one_round(bench: Bench, kind: str) -> list[tuple[float, float]]:
    """Hurt a worker in the middle of its jobs; seconds until each was taken, and went on."""
    [now] = bench.ask("SELECT clock_timestamp() AS now")
    victim = bench.worker(elsewhere=kind != "kill")
    name = bench.name(str(now["now"]))
    bench.submit(name)
    time.sleep(random.uniform(0.3, 1.0))
    held = [one for one in bench.ask(_HELD, [name]) if one["epoch"] is not None]
    [now] = bench.ask("SELECT extract(epoch FROM clock_timestamp())::float AS now")
    _hurt(bench, victim, kind)
    took: list[tuple[float, float]] = []
    for one in held:
        values = {**one, "dead": name, "ms": now["now"] * 1000}

        def moved(values: dict[str, Any] = values) -> bool:
            return any(row["on_at"] is not None for row in bench.ask(_MOVED, values))

        bench.until(lambda: moved() or _is_over(bench, one["job"]), "a job goes on")  # noqa: B023
        for row in bench.ask(_MOVED, values):
            if row["on_at"] is not None:
                began = now["now"]
                took.append((float(row["taken"]) - began, float(row["on_at"]) - began))
    if kind not in ("kill", "kill-elsewhere"):
        time.sleep(AWAY_SECONDS)
        _heal(bench, victim, kind)
        code = victim.wait(60)
        if code != 75:
            raise SystemExit(f"A worker that had been declared dead ended with {code}.")
    bench.until(bench.over, "every job is over")
    return took


def _is_over(bench: Bench, job: object) -> bool:
    """A job that ended before the blow came is nobody's any more."""
    return not bench.ask(
        "SELECT FROM headrace.jobs WHERE job_id = %s AND status <> 'SUCCEEDED'", [job]
    )


def _hurt(bench: Bench, victim: subprocess.Popen[bytes], kind: str) -> None:
    match kind:
        case "kill":
            victim.kill()
            victim.wait()
        case "kill-elsewhere":
            os.kill(inside(victim), signal.SIGKILL)
            victim.wait()
        case "freeze":
            send(victim, signal.SIGSTOP)
        case "partition":
            bench.machine.cut()
        case "deaf":
            bench.machine.cut(out=False)


def _heal(bench: Bench, victim: subprocess.Popen[bytes], kind: str) -> None:
    if kind == "freeze":
        send(victim, signal.SIGCONT)
    else:
        bench.machine.mend()


def line(bench: Bench, kind: str, rounds: int) -> str:
    """One line of the table."""
    took: list[tuple[float, float]] = []
    for number in range(rounds):
        took += one_round(bench, kind)
        print(f"  {kind} {number + 1}/{rounds}: {len(took)} jobs", flush=True)
    [wrong] = bench.ask(WRONG, {"wanted": RECORDS})
    figures = [
        f"{_at(which, share):.2f}"
        for which in zip(*took, strict=True)
        for share in (0.5, 0.95, 1.0)
    ]
    return (
        f"| {KINDS[kind]} | {rounds} | {len(took)} | {' | '.join(figures)} |"
        f" {wrong['lost']} | {wrong['doubled']} | {wrong['late']} |"
    )


def _at(values: Sequence[float], share: float) -> float:
    return sorted(values)[math.ceil(share * len(values)) - 1]


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--only", choices=KINDS, action="append", help="writes nothing")
    parser.add_argument("--no-write", action="store_true")
    wanted = parser.parse_args()
    if why := missing():
        raise SystemExit(f"There is no other machine to be had: {why}.")
    lines = []
    for kind in wanted.only or KINDS:
        with ExitStack() as stack:
            lines.append(line(Bench(stack, JOBS), kind, wanted.rounds))
            print(lines[-1], flush=True)
    text = "\n".join(
        [
            (
                f"Measured {datetime.now(UTC):%Y-%m-%d} on {describe()}, PostgreSQL embedded, fsync"
                f" on, everything on the same cores. `make bench-takeover` ({JOBS} jobs a round on"
                f" three workers, pages of {PAGE} records after {LATENCY_MS} ms each)."
            ),
            "",
            HEAD,
            *lines,
        ]
    )
    print(text)
    if not (wanted.no_write or wanted.only):
        write("bench-takeover", text)


if __name__ == "__main__":
    main()
