"""`make bench-stages`: what the stages of mail do a second, one by one and together.

Raw mails are landed first, and not measured; then each batch of 1,000 goes through its stages as a
worker runs them, in one process. Beside it the same stages written plainly: a statement a row.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import psutil

from benchmarks.docs import write
from benchmarks.letters import OWN, letters, people
from benchmarks.machine import describe
from headrace.store.embedded import postgres

MAIL = "message/rfc822"
BATCH = 1_000
SIZES = (10_000, 100_000, 1_000_000)
PLAIN = 5_000
EMBEDDED = 1_000


class Found(msgspec.Struct):
    """What it took: seconds in all and of each stage, and of each tenth of the mails; the RSS in MB
    after a tenth, a half, and all."""

    rows: int
    seconds: float
    stages: dict[str, float]
    tenths: list[float]
    rss: list[float]


def land(url: str, total: int) -> None:
    """A connection, its stream, and the mails as raw events in batches."""
    from headrace.engine.gather import Gathering
    from headrace.engine.schema import prepare
    from headrace.provider import Page, StreamPlan
    from headrace.store import connections
    from headrace.store.checkpoints import claim
    from headrace.store.database import Database
    from headrace.store.landing import Landing

    prepare(url)
    database = Database(url, name="bench").open()
    mine: dict[str, Any] = {"tenant": "default", "user": "me"}
    with database.transaction() as session:
        row = connections.save(session, **mine, provider="mailbox", name="mail", config={})
        session.execute("UPDATE headrace.connections SET addresses = ARRAY[%s]", [OWN])
        [part] = connections.plan(session, row["connection_id"], [StreamPlan("m", content=MAIL)])
        claimed = claim(
            session, **mine, stream_id=part.stream_id, slice_=part.slice, job_id="bench"
        )
    landing = Landing(database, claimed, lambda *_: None)
    source = letters(total)
    while records := list(islice(source, BATCH)):
        gathering = Gathering(None)
        gathering.add(Page(records, None, more=True), None)
        landing.land(gathering.take())
    with database.connection() as session:
        session.execute("VACUUM ANALYZE headrace.raw_events")
    database.close()


def ours(url: str, home: str, *, embed: bool) -> Found:
    """Every batch through its stages. Without `embed`, those that stand apart are left out; with
    it, only the one that embeds is run, on batches that have been through the others."""
    from headrace.engine import state
    from headrace.engine.cascade import run_stage
    from headrace.plugins import steps
    from headrace.settings import load
    from headrace.store.database import Database
    from headrace.vault import Vault

    settings = load(database_url=url, headrace_home=Path(home))
    database = Database(url, name="bench").open()
    state.enter(state.State(database, settings, Vault.from_settings(settings)))
    with database.connection() as session:
        query = "SELECT batch_id FROM headrace.batches ORDER BY batch_id"
        batches = [row["batch_id"] for row in session.execute(query)]
    names = [one.stage.name for one in steps(MAIL) if one.stage.apart == embed]
    me, spent = psutil.Process(), dict.fromkeys(names, 0.0)
    tenths, rss = [], []
    began = last = time.perf_counter()
    for at, number in enumerate(batches, 1):
        for name in names:
            started = time.perf_counter()
            run_stage(database, name, number)
            spent[name] += time.perf_counter() - started
        if at % max(1, len(batches) // 10) == 0:
            tenths.append(time.perf_counter() - last)
            last = time.perf_counter()
            rss.append(me.memory_info().rss / 1e6)
    seconds = time.perf_counter() - began
    database.close()
    return Found(
        len(batches) * BATCH, seconds, spent, tenths, [rss[0], rss[len(rss) // 2], rss[-1]]
    )


def measure(total: int) -> tuple[Found, Found | None, Found | None]:
    """All stages at one size; at the smallest the plain ones as well, and embedding."""
    folder = Path(tempfile.mkdtemp(prefix="headrace-bench-"))
    folder.chmod(0o755)
    with postgres(folder / "postgres") as url:
        land(url, total)
        found = _process("ours", url, str(folder))
        if total != SIZES[0]:
            return found, None, None
        embedded = _process("embed", url, str(folder))
    with postgres(folder / "plain") as url:
        land(url, PLAIN)
        return found, _process("plain", url, str(folder)), embedded


def _process(what: str, url: str, home: str) -> Found:
    command = [sys.executable, "-m", "benchmarks.stages", "--worker", what, url, home]
    ended = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    return msgspec.json.decode(ended.stdout.splitlines()[-1], type=Found)


def table(found: dict[int, Found], plain: Found | None, embedded: Found | None) -> str:
    """What was found, as Markdown."""
    names = list(next(iter(found.values())).stages)
    head = ["mails", "people", "mails/s", *(f"{name} /s" for name in names)]
    head += ["last tenth : first", "RSS MB at 10 %, 50 %, 100 %"]
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for total, one in found.items():
        each = [f"{one.rows / one.stages[name]:,.0f}" for name in names]
        growth = f"{one.tenths[-1] / one.tenths[0]:.2f}"
        rss = ", ".join(f"{each_:.0f}" for each_ in one.rss)
        cells = [f"{total:,}", f"{people(total):,}", f"{one.rows / one.seconds:,.0f}", *each]
        lines.append(f"| {' | '.join([*cells, growth, rss])} |")
    smallest = next(iter(found.values()))
    text = ["\n".join(lines)]
    if plain is not None:
        rate, theirs = smallest.rows / smallest.seconds, plain.rows / plain.seconds
        text.append(
            f"The same stages a row at a time, a commit a mail, over {plain.rows:,} mails:"
            f" {theirs:,.0f} mails/s. Headrace does {rate / theirs:.1f} times that."
        )
    if embedded is not None and embedded.stages:
        rate = embedded.rows / embedded.seconds
        both = embedded.rows / (embedded.seconds + smallest.seconds)
        text.append(
            f"Embedding with the bundled model, apart: {rate:,.0f} mails/s; with it the whole chain"
            f" does {both:,.0f} mails/s."
        )
    return "\n\n".join(text)


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worker", nargs=3, help=argparse.SUPPRESS)
    parser.add_argument("--no-write", action="store_true")
    parser.add_argument("sizes", nargs="*", type=int, help="how many mails, in turn")
    wanted = parser.parse_args()
    if wanted.worker:
        from benchmarks.stages_plain import plain

        what, url, home = wanted.worker
        found = plain(url) if what == "plain" else ours(url, home, embed=what == "embed")
        print(msgspec.json.encode(found).decode())
        return
    results: dict[int, Found] = {}
    beside: dict[str, Found | None] = defaultdict(lambda: None)
    for total in wanted.sizes or SIZES:
        results[total], plainly, embedded = measure(total)
        beside["plain"] = beside["plain"] or plainly
        beside["embedded"] = beside["embedded"] or embedded
        print(f"  {total:,}: {results[total].rows / results[total].seconds:,.0f} mails/s")
    text = (
        f"Measured {datetime.now(UTC):%Y-%m-%d} on {describe()}, PostgreSQL embedded, fsync on, one"
        f" process, batches of {BATCH:,}. `make bench-stages`.\n\n"
        + table(results, beside["plain"], beside["embedded"])
    )
    print(text)
    if not wanted.no_write:
        write("bench-stages", text)


if __name__ == "__main__":
    main()
