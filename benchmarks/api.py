"""`make bench-api`: how soon `POST /ingestion/jobs` answers, beside the least that it can take.

A real `headrace api` serves, over HTTP on this machine, on a PostgreSQL of its own. No worker runs:
every job stays PENDING, so that only the answers are measured. Each request is of another input and
another Idempotency-Key: a new connection, a new job and its place on the queue, in one commit.
"""

from __future__ import annotations

import argparse
import http.client
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from benchmarks.docs import write
from benchmarks.machine import describe
from headrace.store.embedded import postgres

AT_ONCE = 16
KEY = "the key of the benchmark only"
AIMS = {("POST", 1): "p99 < 50 ms", ("POST", AT_ONCE): "max < 2,000 ms (A3.54)"}
_WARM_UP = 100  # requests that do not count: the first ones open connections and plan queries

HEAD = (
    "| what | at once | p50 ms | p95 ms | p99 ms | max ms | a second | aim | reached |\n"
    "|---|---|---|---|---|---|---|---|---|"
)

Ask = Callable[[], None]


@contextmanager
def serving(database: str, home: Path) -> Iterator[str]:
    """The address of `headrace api` in a process of its own."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("API_", "HEADRACE_"))}
    own = {"DATABASE_URL": database, "HEADRACE_HOME": str(home), "HEADRACE_API_KEY": KEY}
    process = subprocess.Popen(
        [sys.executable, "-m", "headrace.cli", "api", "--json"],
        env={**kept, **own, "SERVICE_PORT": "0", "LOG_LEVEL": "ERROR"},
        stdout=subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        url: str = json.loads(process.stdout.readline())["url"]
        client = asking(url, "GET", "/health")
        while True:
            try:
                client()
                break
            except OSError:
                time.sleep(0.05)
        yield url
    finally:
        process.terminate()
        process.wait()


def asking(url: str, method: str, path: str, bodies: Callable[[], object] | None = None) -> Ask:
    """One connection that is kept open, and asks once at each call. Raises where it is refused."""
    place = urlsplit(url)
    assert place.hostname is not None
    connection = http.client.HTTPConnection(place.hostname, place.port)
    numbers = count()
    mine = os.urandom(8).hex()

    def ask() -> None:
        headers = {"X-API-Key": KEY, "Content-Type": "application/json"}
        body = None
        if bodies is not None:
            headers["Idempotency-Key"] = f"{mine}-{next(numbers)}"
            body = json.dumps(bodies())
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        told = answer.read()
        if answer.status not in (200, 202):
            raise SystemExit(f"{method} {path} was answered {answer.status}: {told!r}")

    return ask


def measure(ask: list[Ask], total: int) -> tuple[list[float], float]:
    """Seconds of each of `total` calls, spread over those who ask at one time; and of them all."""
    for one in ask:
        for _ in range(_WARM_UP // len(ask) + 1):
            one()

    def some(one: Ask) -> list[float]:
        took = []
        for _ in range(total // len(ask)):
            began = time.perf_counter()
            one()
            took.append(time.perf_counter() - began)
        return took

    with ThreadPoolExecutor(len(ask)) as pool:
        began = time.perf_counter()
        took = [one for each in pool.map(some, ask) for one in each]
        return sorted(took), time.perf_counter() - began


def line(what: str, at_once: int, took: list[float], wall: float, aim: str = "") -> str:
    """One line of the table; an aim is for the p99 or the slowest."""

    def at(share: float) -> float:
        return took[math.ceil(share * len(took)) - 1] * 1000

    reached = ""
    if aim:
        limit = float(aim.split("< ")[1].split(" ")[0].replace(",", ""))
        reached = "yes" if at(0.99 if aim.startswith("p99") else 1.0) < limit else "no"
    return (
        f"| {what} | {at_once} | {at(0.5):.1f} | {at(0.95):.1f} | {at(0.99):.1f} | {at(1.0):.1f} |"
        f" {len(took) / wall:,.0f} | {aim} | {reached} |"
    )


def commits(database: str, total: int) -> tuple[list[float], float]:
    """One row inserted and committed, by psycopg alone: what the disk asks for to keep anything."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS public.bench (n integer)")
        return measure([lambda: _commit(connection)], total)


def _commit(connection: psycopg.Connection) -> None:
    connection.execute("INSERT INTO public.bench VALUES (1)")


def table(database: str, home: Path, total: int) -> list[str]:
    """Every line, measured in one run."""
    numbers = count()

    def job() -> object:
        return {"config": {"input": [f"upload://bench/{next(numbers)}.pdf"]}}

    with serving(database, home) as url:
        lines = [line("one row committed by psycopg", 1, *commits(database, total))]
        for at_once in (1, AT_ONCE):
            open_ = [asking(url, "GET", "/health") for _ in range(at_once)]
            lines.append(line("GET /health", at_once, *measure(open_, total)))
        for at_once in (1, AT_ONCE):
            posts = [asking(url, "POST", "/ingestion/jobs", job) for _ in range(at_once)]
            aim = AIMS["POST", at_once]
            lines.append(line("POST /ingestion/jobs", at_once, *measure(posts, total), aim))
    return lines


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=2_000)
    parser.add_argument("--no-write", action="store_true")
    wanted = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="headrace-bench-"))
    home.chmod(0o755)
    with postgres(home / "postgres") as database:
        lines = table(database, home, wanted.requests)
    text = "\n".join(
        [
            (
                f"Measured {datetime.now(UTC):%Y-%m-%d} on {describe()}, PostgreSQL embedded, fsync"
                f" on, client, service and server on the same cores. `make bench-api`"
                f" ({wanted.requests:,} requests a line)."
            ),
            "",
            HEAD,
            *lines,
        ]
    )
    print(text)
    if not wanted.no_write:
        write("bench-api", text)


if __name__ == "__main__":
    main()
