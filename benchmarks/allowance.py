"""`make bench-allowance`: sixteen processes on one account, with and without the quota governor.

Each is a process of its own with its own connections to PostgreSQL, and calls by the code that
walks call by: `engine.allowance` and `http.Client`. Four connections share the account. Refusals
are those of the source. Beside it the same with a statement a call, and without a governor.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import msgspec

from benchmarks.accounts_cases import ask
from benchmarks.allowance_worker import Did, Governor, Work
from benchmarks.docs import write
from benchmarks.machine import describe
from headrace.engine.schema import prepare
from headrace.plugins import provider
from headrace.store.embedded import postgres
from headrace.twin import run_google, run_twin

PROCESSES, CONNECTIONS, LATENCY_MS = 16, 4, 20
LIMIT, WINDOW_S = 1_200, 20
"""Requests of the feed, told in its headers."""
UNITS, COST = 15_000, 5
"""Gmail's units in any sixty seconds, and those of a message; it says nothing of them."""
SHARE = 0.95
"""What the provider makes of it: see `providers.gmail`."""
FREE = 1_000_000_000

HEAD = (
    "| account | governor | calls | refused | after warm-up | of the limit | statements a call |"
    " governor ms a call | call ms | of the call |\n" + "|---" * 10 + "|"
)
Start = Callable[[], AbstractContextManager[str]]


def feed(limit: str = "") -> AbstractContextManager[str]:
    """A twin that says in its headers what it allows."""
    return run_twin(total=1_000, latency_ms=LATENCY_MS, rate_limit=limit)


def mailbox() -> AbstractContextManager[str]:
    """A twin that says nothing, and refuses what is too much in any minute."""
    return run_google(messages=1, user_units=UNITS, overdrafts=FREE)


def run(work: Work) -> list[Did]:
    """All processes, begun together."""
    command = [sys.executable, "-m", "benchmarks.allowance_worker"]
    ones = []
    for number in range(PROCESSES):
        own = msgspec.structs.replace(work, connection=str(number % CONNECTIONS))
        said = msgspec.json.encode(own).decode()
        pipe = subprocess.PIPE
        ones.append(subprocess.Popen([*command, said], stdin=pipe, stdout=pipe, text=True))
    for one in ones:
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n"
    for one in ones:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    return [msgspec.json.decode(one.communicate()[0], type=Did) for one in ones]


def line(name: str, work: Work, found: list[Did], allowed: float | None, waits: bool) -> str:
    """A row. `allowed` are the calls that the limit lets through in the time. Where nobody waits
    for the allowance, what the governor takes is its own time."""
    calls = sum(one.calls for one in found)
    refused = sum(one.refused for one in found)
    late = sum(one.refused_late for one in found)
    after = sum(at > min(one.ends) + work.warm for one in found for at in one.ends if one.ends)
    statements = sum(one.statements for one in found)
    governing = 1_000 * sum(one.governing for one in found) / max(1, calls)
    calling = 1_000 * sum(one.calling for one in found) / max(1, calls)
    used = "-" if allowed is None else f"{(calls - refused) / allowed:.0%}"
    own = ("-", "-") if waits else (f"{governing:.3f}", f"{governing / calling:.1%}")
    return (
        f"| {name} | {work.governor} | {calls:,} | {refused:,} | {late:,}"
        f" ({late / max(1, after):.2%}) | {used} | {statements / max(1, calls):.3f} | {own[0]} |"
        f" {calling:.1f} | {own[1]} |"
    )


def measure(url: str, seconds: float, minutes: float) -> list[str]:
    """Every case, one after another."""
    cases: list[tuple[str, Start, dict[str, Any], float | None]] = [
        ("no limit: what it costs", feed, {"per_minute": FREE, "seconds": seconds}, None),
        (
            f"headers: {LIMIT:,} in {WINDOW_S} s",
            lambda: feed(f"{LIMIT}/{WINDOW_S}"),
            {"seconds": 60 * minutes, "warm": WINDOW_S, "at_once": 2},
            LIMIT * -(-60 * minutes // WINDOW_S),
        ),
        (
            f"configured: {UNITS:,} units a minute, {COST} a call",
            mailbox,
            {"per_minute": UNITS * SHARE, "units": COST, "seconds": 60 * minutes, "warm": 60},
            UNITS / COST * minutes,
        ),
    ]
    lines = [HEAD]
    for name, start, how, allowed in cases:
        for governor in get_args(Governor):
            if governor == "a statement a call" and "per_minute" not in how:
                continue  # which is what there was; it did not read headers
            with start() as source:
                work = Work(database=url, source=source, governor=governor, **how)
                work.grant = f"{name} {governor}"
                if start is mailbox:
                    scopes = [*provider("gmail").scopes]
                    work.token = ask(source, "/admin/grant", {"scopes": scopes})["access_token"]
                    work.path = "/gmail/v1/users/me/messages?maxResults=1"
                lines.append(line(name, work, run(work), allowed, allowed is not None))
                print(lines[-1], flush=True)
    return lines


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20, help="of each case without a limit")
    parser.add_argument("--minutes", type=float, default=3, help="of each case with one")
    parser.add_argument("--no-write", action="store_true")
    wanted = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="headrace-bench-"))
    home.chmod(0o755)
    with postgres(home / "postgres") as url:
        prepare(url)
        lines = measure(url, wanted.seconds, wanted.minutes)
    measured = (
        f"Measured {datetime.now(UTC):%Y-%m-%d} on {describe()}, PostgreSQL embedded, fsync on,"
        f" {PROCESSES} processes. `make bench-allowance`, {wanted.minutes:g} minutes a limit."
    )
    text = "\n".join([measured, "", *lines])
    print(text)
    if not wanted.no_write:
        write("bench-allowance", text)


if __name__ == "__main__":
    main()
