"""`make bench-jobs`: how many empty jobs a second, and how soon one starts, beside three peers.

All run on the same PostgreSQL with the same settings, Celery on a Valkey; in turn, each with a
database of its own that is new for each row. An empty job writes 16 bytes to a file: when it was
sent and when it began. Every job that was sent must have begun, or the benchmark ends.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.docs import write
from benchmarks.jobs_contenders import HEADRACE, WHOLE, Contender, Feeder, available, until
from benchmarks.machine import describe
from headrace.store.embedded import postgres

SETTLED_SECONDS = 8.0
"""After its start a worker asks for things that it does not ask for any more later."""
PAUSE_SECONDS = 0.02
LOOK_SECONDS = 20.0


class Wanted(argparse.Namespace):
    """How much of it."""

    jobs: int
    lone: int
    backlog: int
    workers: list[int]
    places: int
    only: list[str]
    no_write: bool


def speed(one: Contender, workers: int, wanted: Wanted) -> list[float]:
    """Jobs a second, of those that were sent at once; and the milliseconds from sending one to its
    start, p50 and p99, where nothing else is to do."""
    with one.workers(workers), one.feeder() as feeder:
        _warm(one, feeder, workers)
        for _ in range(wanted.lone):
            before = one.begun()
            feeder.send(1)
            until(lambda: one.begun() > before, 60)  # noqa: B023 - called at once
            time.sleep(PAUSE_SECONDS)
        waited = sorted((began - sent) * 1000 for sent, began, _ in one.jobs()[-wanted.lone :])
        before, started = one.begun(), time.time()
        feeder.send(wanted.jobs)
        until(lambda: one.begun() >= before + wanted.jobs)
        took = max(ended for _, _, ended in one.jobs()) - started
    return [wanted.jobs / took, statistics.median(waited), waited[int(len(waited) * 0.99)]]


def _warm(one: Contender, feeder: Feeder, workers: int) -> None:
    """Every worker is up, and has run something."""
    time.sleep(SETTLED_SECONDS)
    feeder.send(20 * workers)
    until(lambda: one.begun() >= 20 * workers, 120)


def backlog(one: Contender, wanted: Wanted) -> list[float]:
    """Jobs sent a second, in bulk and with nobody to take them; and then, with all of them waiting,
    jobs a second of one worker."""
    with one.feeder() as feeder:
        seconds = feeder.send(wanted.backlog)
        with one.workers(1):
            until(lambda: one.begun() > 0, 300)
            first, began = one.begun(), time.monotonic()
            while one.begun() < wanted.backlog and time.monotonic() - began < LOOK_SECONDS:
                time.sleep(0.05)
            rate = (one.begun() - first) / (time.monotonic() - began)
    return [wanted.backlog / seconds, rate]


def asked(one: Contender, workers: int, wanted: Wanted) -> list[float]:
    """Statements a second of each worker that has nothing to do; and for a lone job, of all."""
    one.count_statements()
    with one.workers(workers), one.feeder() as feeder:
        _warm(one, feeder, workers)
        time.sleep(SETTLED_SECONDS)
        before, began = one.statements(), time.monotonic()
        time.sleep(LOOK_SECONDS)
        idle = (one.statements() - before) / (time.monotonic() - began)
        before, began, lone = one.statements(), time.monotonic(), min(50, wanted.lone)
        for _ in range(lone):
            seen = one.begun()
            feeder.send(1)
            until(lambda: one.begun() > seen, 60)  # noqa: B023 - called at once
            time.sleep(PAUSE_SECONDS)
        more = one.statements() - before - idle * (time.monotonic() - began)
    return [idle / workers, more / lone]


def tables(url: str, home: Path, wanted: Wanted) -> list[str]:
    """All of it, contender by contender."""
    names = [name for name in available() if not wanted.only or name in wanted.only]
    fast = [
        "| contender | workers | jobs/s | start p50 ms | start p99 ms |",
        "|---|---|---|---|---|",
    ]
    deep = [
        f"| contender | sent/s in bulk | jobs/s of one worker, {wanted.backlog:,} waiting |",
        "|---|---|---|",
    ]
    quiet = [
        "| contender | workers | statements/s of an idle worker | statements for a lone job |",
        "|---|---|---|---|",
    ]
    for name in names:
        for workers in wanted.workers:
            with Contender(name, url, home, wanted.places) as one:
                rate, p50, p99 = speed(one, workers, wanted)
            fast.append(f"| {name} | {workers} | {rate:,.0f} | {p50:.1f} | {p99:.1f} |")
            print(fast[-1], flush=True)
        for workers in sorted({wanted.workers[0], wanted.workers[-1]}):
            if name == WHOLE:
                break
            with Contender(name, url, home, wanted.places) as one:
                idle, lone = asked(one, workers, wanted)
            quiet.append(f"| {name} | {workers} | {idle:.1f} | {lone:.0f} |")
            print(quiet[-1], flush=True)
        if name != WHOLE:
            with Contender(name, url, home, wanted.places) as one:
                sent, rate = backlog(one, wanted)
            deep.append(f"| {name} | {sent:,.0f} | {rate:,.0f} |")
            print(deep[-1], flush=True)
    return [*fast, "", *deep, "", *quiet]


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=10_000, help="sent at once")
    parser.add_argument("--lone", type=int, default=500, help="sent one after another")
    parser.add_argument("--backlog", type=int, default=1_000_000)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--places", type=int, default=16, help="jobs at a time in each worker")
    parser.add_argument("--only", nargs="*", default=[], metavar="CONTENDER", help=HEADRACE)
    parser.add_argument("--no-write", action="store_true")
    wanted = parser.parse_args(namespace=Wanted())
    home = Path(tempfile.mkdtemp(prefix="headrace-bench-"))
    home.chmod(0o755)
    with postgres(home / "postgres") as url:
        found = tables(url, home, wanted)
    lines = [
        (
            f"Measured {datetime.now(UTC):%Y-%m-%d} on {describe()}, PostgreSQL embedded, fsync on,"
            f" all on the same cores; {wanted.jobs:,} jobs sent at once, {wanted.lone:,} one after"
            f" another, {wanted.places} at a time in a worker process."
        ),
        "",
        *found,
    ]
    text = "\n".join(lines)
    print(text)
    if not wanted.no_write:
        write("bench-jobs", text)


if __name__ == "__main__":
    main()
