"""`make bench-accounts`: syncs of an account, beside what its allowance lets them do.

The whole product in a process of its own, against a twin in another one, which bills each request
as the provider does. Each account is synced three times: all of it, with nothing changed, and with
one record in a hundred changed.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import psutil

from benchmarks.accounts_cases import PER_HOUR, Case
from benchmarks.accounts_headrace import Given, Look, Run, Runs
from benchmarks.docs import write
from benchmarks.machine import describe
from benchmarks.sync import postmaster_of
from headrace.store.embedded import postgres

OWN = [
    Case("gmail", 750, own=True),
    Case("google_calendar", 10_000, own=True),
    Case("github", 1_000, own=True),
]
FREELY = [
    Case("gmail", 1_000),
    Case("gmail", 10_000),
    Case("google_calendar", 5_000),
    Case("google_calendar", 50_000),
    Case("github", 500),
    Case("github", 5_000),
]
LARGE = [Case("gmail", 100_000)]

_OWN = (
    "| account | of | records | s until landed | s until shown | units | units a minute |"
    " of the allowance | refusals |"
)
_MACHINE = (
    "| account | of | records | s until landed | s until shown | records/s |"
    " CPU ms a record, first half | second half | peak RSS MB by 10 % | by 50 % | by 100 % |"
    " CPU of the wall: service | twin | PostgreSQL |"
)
_ASKED = (
    "| account | of | sync | s until shown | fetched | new versions | requests | units |"
    " of an hour's allowance |"
)


def measure(case: Case) -> list[Run]:
    """Its three syncs."""
    folder = Path(tempfile.mkdtemp(prefix="headrace-bench-"))
    folder.chmod(0o755)
    print(f"{case.provider} of {case.size:,} ...", file=sys.stderr)
    with postgres(folder / "postgres") as url, case.twin() as base:
        [twin] = [one.pid for one in psutil.Process().children() if _is_twin(one)]
        case.ready(base)
        given = Given(case, url, base, str(folder), twin, postmaster_of(url))
        command = [sys.executable, "-m", "benchmarks.accounts_headrace"]
        command.append(msgspec.json.encode(given).decode())
        ended = subprocess.run(command, stdout=subprocess.PIPE, check=True)
        return msgspec.json.decode(ended.stdout.splitlines()[-1], type=Runs).runs


def _is_twin(process: psutil.Process) -> bool:
    return any(one.startswith("headrace.twin.") for one in process.cmdline())


def at_own(case: Case, run: Run) -> str:
    """A first sync at the provider's own allowance."""
    minute = run.spent.units / run.landed * 60
    return (
        f"| {case.provider} | {case.size:,} | {run.fetched:,} | {run.landed:.1f} |"
        f" {run.shown:.1f} | {run.spent.units:,} | {minute:,.0f} |"
        f" {minute / case.per_minute:.0%} | {run.spent.refusals} |"
    )


def by_machine(case: Case, run: Run) -> str:
    """A first sync that nobody holds back."""
    half, whole = run.at(0.5), run.looks[-1]
    memory = " | ".join(f"{run.at(share).rss / (1 << 20):.0f}" for share in (0.1, 0.5, 1.0))
    cpu = " | ".join(f"{one / run.shown:.0%}" for one in whole.cpu)
    return (
        f"| {case.provider} | {case.size:,} | {run.fetched:,} | {run.landed:.1f} |"
        f" {run.shown:.1f} | {run.fetched / run.shown:,.0f} | {_each(half, None)} |"
        f" {_each(whole, half)} | {memory} | {cpu} |"
    )


def _each(until: Look, since: Look | None) -> str:
    """Milliseconds of the service's and PostgreSQL's processor time for each record; "" of none,
    where all were landed at once."""
    used, records = until.cpu[0] + until.cpu[2], until.fetched
    if since is not None:
        used, records = used - since.cpu[0] - since.cpu[2], records - since.fetched
    return f"{used / records * 1_000:.2f}" if records else ""


def by_asking(case: Case, run: Run) -> str:
    """What a sync asks of the provider."""
    share = run.spent.units / PER_HOUR[case.provider]
    return (
        f"| {case.provider} | {case.size:,} | {run.what} | {run.shown:.2f} | {run.fetched:,} |"
        f" {run.inserted:,} | {run.spent.requests:,} | {run.spent.units:,} | {share:.3%} |"
    )


def table(head: str, lines: Iterable[str]) -> str:
    """In Markdown."""
    return "\n".join([head, "|---" * (head.count("|") - 1) + "|", *lines])


def tables(own: Sequence[Case], freely: Sequence[Case]) -> list[str]:
    """Every case, measured one after another."""
    held = [(case, measure(case)[0]) for case in own]
    free = [(case, measure(case)) for case in freely]
    found = [
        "### A first sync, held back by nobody",
        table(_MACHINE, (by_machine(case, runs[0]) for case, runs in free)),
        "### What each sync asks for",
        table(_ASKED, (by_asking(case, run) for case, runs in free for run in runs)),
    ]
    if held:
        at = table(_OWN, (at_own(*one) for one in held))
        found = ["### A first sync at the provider's own allowance", at, *found]
    return found


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--large", action="store_true", help="instead: 100,000 messages, once")
    parser.add_argument("--only", metavar="PROVIDER", help="cases of this one; writes nothing")
    parser.add_argument("--no-write", action="store_true")
    wanted = parser.parse_args()
    own = [] if wanted.large else [one for one in OWN if wanted.only in (None, one.provider)]
    freely = LARGE if wanted.large else FREELY
    freely = [one for one in freely if wanted.only in (None, one.provider)]
    command = "`.venv/bin/python -m benchmarks.accounts --large`"
    measured = (
        f"Measured {datetime.now(UTC):%Y-%m-%d} on {describe()}, PostgreSQL embedded, fsync on,"
        " service, twin and server on the same cores."
        f" {command if wanted.large else '`make bench-accounts`'}."
    )
    text = "\n\n".join([measured, *tables(own, freely)])
    print(text)
    if not (wanted.no_write or wanted.only):
        write("bench-accounts-large" if wanted.large else "bench-accounts", text)


if __name__ == "__main__":
    main()
