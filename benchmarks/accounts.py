"""`make bench-accounts`: a first sync of an account, beside what its allowance lets it do.

The whole product in a process of its own, from the job's submission until every message has been
through its stage; the twin in another one, which bills each request as the provider does.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import msgspec
import psycopg

from benchmarks.docs import write
from benchmarks.machine import describe
from headrace.store.embedded import postgres
from headrace.twin import run_google

HEAD = (
    "| account | messages | units a minute | s until landed | s until shown | units | of the"
    " allowance | refusals | peak RSS MB |\n|---|---|---|---|---|---|---|---|---|"
)
GOOGLES_OWN = 15_000
FREE = 10_000_000
"""An allowance that nobody waits for: then it is the client, the twin and PostgreSQL that do."""


class Run(msgspec.Struct):
    """One first sync."""

    messages: int
    per_minute: int


class Found(msgspec.Struct):
    """What it took."""

    landed: float
    shown: float
    rss: float
    rows: int


RUNS = (Run(750, GOOGLES_OWN), Run(1_000, FREE), Run(10_000, FREE))


def ask(base: str, path: str, body: object = None) -> Any:
    """What the twin says behind the scenes."""
    data = None if body is None else json.dumps(body).encode()
    with urlopen(Request(base + path, data=data)) as answer:
        return json.loads(answer.read())


def measure(run: Run) -> str:
    """A line of the table."""
    folder = Path(tempfile.mkdtemp(prefix="headrace-bench-"))
    folder.chmod(0o755)
    allowed = {"user_units": run.per_minute, "project_units": 10 * run.per_minute}
    with (
        postgres(folder / "postgres") as url,
        run_google(messages=run.messages, **allowed) as base,
    ):
        command = [sys.executable, "-m", "benchmarks.accounts", "--worker", url, base]
        command += [str(folder), str(run.per_minute)]
        ended = subprocess.run(command, stdout=subprocess.PIPE, check=True)
        found = msgspec.json.decode(ended.stdout.splitlines()[-1], type=Found)
        stats = ask(base, "/admin/stats")
    units = sum(stats["units"].values())
    share = units / found.landed / (run.per_minute / 60)
    told = "" if run.per_minute == FREE else f"{share:.0%}"
    allowance = "no limit" if run.per_minute == FREE else f"{run.per_minute:,}"
    return (
        f"| gmail | {run.messages:,} | {allowance} | {found.landed:.1f} | {found.shown:.1f} |"
        f" {units:,} | {told} | {stats['refusals'] + stats['bans']} | {found.rss:.0f} |"
    )


def work(url: str, base: str, home: str, per_minute: int) -> Found:
    """The product: connected with tokens that the twin gives, synced once."""
    from headrace.engine import jobs, state
    from headrace.engine.progress import FINAL, progress
    from headrace.engine.runtime import engine
    from headrace.engine.schema import prepare
    from headrace.oauth.sealed import Kept, seal
    from headrace.providers.gmail import Gmail
    from headrace.settings import load
    from headrace.store import connections, grants

    prepare(url)
    settings = load(
        database_url=url,
        headrace_home=Path(home),
        gmail_base_url=base,
        google_token_url=f"{base}/token",
        google_client_id="headrace.apps.googleusercontent.com",
        google_client_secret="GOCSPX-twin",
    )
    tokens = ask(base, "/admin/grant", {"scopes": Gmail.scopes})
    config = {"items_per_run": None, "units_per_minute": per_minute, "pause_ms": 0}
    if per_minute == GOOGLES_OWN:
        config["pause_ms"] = 200
    with engine(url, settings) as database:
        # The queues of a new database are noticed within a second of the engine's start.
        time.sleep(1.5)
        with database.transaction() as session:
            mine = {"tenant": "default", "user": "me"}
            grant = grants.save(
                session, **mine, issuer="google", account="ada@example.com", scopes=Gmail.scopes
            )
            kept = Kept(tokens["access_token"], tokens["refresh_token"])
            sealed = seal(state.current().vault, "default", grant, kept)
            grants.keep(session, "default", grant, sealed, seconds=3_600)
            row = connections.save(
                session, tenant="default", user="me", provider="gmail", name="mail", config=config
            )
            session.execute("UPDATE headrace.connections SET grant_id = %s", [grant])
        began = time.perf_counter()
        with database.transaction() as session:
            connection = row["connection_id"]
            job, _ = jobs.submit(session, **mine, kind=Gmail.kind, connection_id=connection)
        landed = 0.0
        while True:
            with database.connection() as session:
                now = progress(session, str(job["job_id"]))
            if now.status in FINAL and not landed:
                landed = time.perf_counter() - began
            if now.settled:
                break
            time.sleep(0.05)
        shown = time.perf_counter() - began
    with psycopg.connect(url) as session:
        counted = session.execute("SELECT count(*) FROM headrace.interactions").fetchone()
    assert counted is not None
    if now.status != "SUCCEEDED":
        raise SystemExit(f"The sync did not end well: {now}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Found(landed, shown, peak, counted[0])


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worker", nargs=4, help=argparse.SUPPRESS)
    parser.add_argument("--no-write", action="store_true")
    wanted = parser.parse_args()
    if wanted.worker:
        url, base, home, per_minute = wanted.worker
        print(msgspec.json.encode(work(url, base, home, int(per_minute))).decode())
        return
    lines = [
        (
            f"Measured {datetime.now(UTC):%Y-%m-%d} on {describe()}, PostgreSQL embedded, fsync on,"
            " service, twin and server on the same cores. `make bench-accounts`."
        ),
        "\n".join([HEAD, *(measure(run) for run in RUNS)]),
    ]
    text = "\n\n".join(lines)
    print(text)
    if not wanted.no_write:
        write("bench-accounts", text)


if __name__ == "__main__":
    main()
