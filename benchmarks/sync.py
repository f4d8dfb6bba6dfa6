"""`make bench-sync`: landing and sync beside raw COPY, a plain loop and the network's floor.

Everything runs against one PostgreSQL and one twin, contenders interleaved round by round; what is
printed and written are medians. The first table is at no latency, the second with some.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from benchmarks.contenders import ALL
from benchmarks.machine import describe, server_cpu
from headrace.store.embedded import postgres
from headrace.twin import run_twin

TARGET = Path(__file__).parent.parent / "docs" / "benchmarks.md"
PEERS = Path(__file__).parent.parent / ".venv-peers" / "bin" / "python"
PEER = "dlt"
"""Run only where `make bench-peers` has made an environment of its own for it."""

BEGIN, END = "<!-- bench-sync -->", "<!-- /bench-sync -->"

PAGES = (100, 1_000, 5_000)
LATENCIES = (20, 100)

Rounds = dict[str, list[dict[str, float]]]


def run(name: str, url: str, base: str, total: int, page: int, postmaster: int) -> dict[str, float]:
    """One contender, once, in a process of its own."""
    before = server_cpu(postmaster)
    command = [
        sys.executable,
        "-m",
        "benchmarks.contenders",
        name,
        url,
        base,
        str(total),
        str(page),
    ]
    if name == PEER:
        command = [str(PEERS), str(Path(__file__).parent / "dlt_peer.py"), url, base, str(page)]
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("API_", "HEADRACE_"))}
    ended = subprocess.run(command, stdout=subprocess.PIPE, check=True, env=kept)
    found: dict[str, float] = json.loads(ended.stdout.splitlines()[-1])
    found["server"] = server_cpu(postmaster) - before
    found["rate"] = total / found["seconds"]
    print(f"  {name:14} {total:>9,} rows, pages of {page:>5,}: {found['rate']:>9,.0f} rows/s")
    return found


def rounds(names: list[str], url: str, total: int, page: int, latency: int, n: int) -> Rounds:
    """The contenders in turn, n times over."""
    found: Rounds = defaultdict(list)
    postmaster = postmaster_of(url)
    with run_twin(total=total, latency_ms=latency, cursor_ttl_s=0) as base:
        for _ in range(n):
            for name in names:
                found[name].append(run(name, url, base, total, page, postmaster))
    return found


def postmaster_of(url: str) -> int:
    """The postmaster's pid: the first line of its pid file, which the server itself can read."""
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)::int"
        ).fetchone()
    assert row is not None
    return int(row[0])


def median(found: list[dict[str, float]], key: str) -> float:
    """The median of one figure over the rounds."""
    return statistics.median(one[key] for one in found)


def no_latency(url: str, total: int, n: int) -> list[str]:
    """The table at no latency, a block a page size."""
    lines = [
        (
            "| pages of | contender | rows/s | of raw COPY | of the plain loop |"
            " client CPU s/100k | server CPU s/100k | peak RSS MB |"
        ),
        "|---|---|---|---|---|---|---|---|",
    ]
    names = [*ALL, *([PEER] if PEERS.exists() else [])]
    for page in PAGES:
        found = rounds(names, url, total, page, 0, n)
        copy, loop = median(found["raw COPY"], "rate"), median(found["plain loop"], "rate")
        for name in names:
            rate = median(found[name], "rate")
            per = 100_000 / total
            lines.append(
                f"| {page:,} | {name} | {rate:,.0f} | {rate / copy:.2f} | {rate / loop:.2f} |"
                f" {median(found[name], 'cpu') * per:.2f} |"
                f" {median(found[name], 'server') * per:.2f} | {median(found[name], 'rss'):.0f} |"
            )
    return lines


def with_latency(url: str, n: int) -> list[str]:
    """The table with latency: the network is the floor, and how near one comes to it."""
    lines = [
        (
            "| latency ms | pages of | network floor rows/s | headrace (of the floor) |"
            " plain loop (of the floor) |"
        ),
        "|---|---|---|---|---|",
    ]
    names = ["network floor", "plain loop", "headrace"]
    for latency in LATENCIES:
        for page in PAGES:
            # Long enough that the job's start and end do not weigh.
            total = page * min(12_000 // latency, 200_000 // page)
            found = rounds(names, url, total, page, latency, n)
            floor = median(found["network floor"], "rate")
            landed = statistics.median(total / one["landed"] for one in found["headrace"])
            loop = median(found["plain loop"], "rate")
            lines.append(
                f"| {latency} | {page:,} | {floor:,.0f} | {landed:,.0f} ({landed / floor:.2f}) |"
                f" {loop:,.0f} ({loop / floor:.2f}) |"
            )
    return lines


def all_of_it(url: str, total: int) -> list[str]:
    """The whole source, once: flat memory is what it is to show."""
    found = rounds(["headrace"], url, total, 5_000, 0, 1)["headrace"][0]
    return [
        (
            f"{total:,} events, pages of 5,000: {found['seconds']:.0f} s until the last was"
            f" searchable ({found['rate']:,.0f} rows/s), peak RSS of the process"
            f" {found['rss']:.0f} MB."
        )
    ]


def write(text: str) -> None:
    """Put the tables between their marks in docs/benchmarks.md."""
    page = TARGET.read_text("utf-8") if TARGET.exists() else f"# Benchmarks\n\n{BEGIN}\n{END}\n"
    head, _, rest = page.partition(BEGIN)
    TARGET.write_text(f"{head}{BEGIN}\n{text}\n{END}{rest.partition(END)[2]}", "utf-8")


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--all", type=int, default=3_000_000, help="events of the long run; 0: none"
    )
    parser.add_argument("--no-write", action="store_true")
    wanted = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="headrace-bench-"))
    folder.chmod(0o755)
    with postgres(folder / "postgres") as url:
        parts = [
            (
                f"Measured {datetime.now(UTC):%Y-%m-%d} on {describe()}, PostgreSQL embedded,"
                f" fsync on, twin and contenders on the same cores. `make bench-sync`"
                f" ({wanted.rows:,} rows, medians of {wanted.rounds} interleaved rounds)."
            ),
            "### No latency",
            "\n".join(no_latency(url, wanted.rows, wanted.rounds)),
            "### With latency",
            "\n".join(with_latency(url, 1)),
        ]
        if wanted.all:
            parts += ["### The whole source", "\n".join(all_of_it(url, wanted.all))]
    text = "\n\n".join(parts)
    print(text)
    if not wanted.no_write:
        write(text)


if __name__ == "__main__":
    main()
