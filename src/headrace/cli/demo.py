"""`headrace demo`: the whole story in a minute, on real servers and real processes.

It lands events over HTTP and a mailbox from disk, kills its own worker with SIGKILL in the middle,
goes on, and holds what is in PostgreSQL against the sources: any difference is a failed demo.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from headrace.cli.demo_documents import ANSWER, QUESTION, write_documents
from headrace.cli.house import TENANT, USER, database_url
from headrace.cli.look import show_hit
from headrace.cli.options import Json
from headrace.cli.show import answer_json, out
from headrace.errors import HeadraceError
from headrace.mailbox.sample import OWNER_ADDRESS, write_sample_mbox
from headrace.out.search import search
from headrace.settings import Settings, load
from headrace.store.database import Database
from headrace.twin import run_twin
from headrace.twin.events import event_id

SEED = 1
PAGES = 200
"""About how many an API gives them in: few events are to last long enough to be interrupted."""
MAILS = 2_000
QUERIES = ("checkout error", "invoice", "flight to Lisbon")

SPEC = """\
name: events
base_url: {base}
streams:
  events:
    path: /events
    time: timestamp
    limit: {{value: {page}}}
"""


def demo(
    events: Annotated[
        int, typer.Option(min=1_000, max=3_000_000, help="Events to land.")
    ] = 100_000,
    json: Json = False,
) -> None:
    """Land events, a mailbox and documents, with a SIGKILL in the middle; count, and search."""
    if json:
        out.file = sys.stderr
    home = load().headrace_home / "demo"
    shutil.rmtree(home / "files", ignore_errors=True)
    (home / "files").mkdir(parents=True)
    settings = load(headrace_home=home, database_url=None, api_base_url=None)
    started = time.monotonic()
    out.print("[bold]Headrace demo[/bold]: run any connector, kill anything, lose nothing.\n")
    with run_twin(total=events, seed=SEED, latency_ms=8) as base, _fresh(settings) as database:
        spec = home / "files" / "events.yaml"
        page = min(500, events // PAGES)
        spec.write_text(SPEC.format(base=base, page=page), encoding="utf-8")
        mails = write_sample_mbox(home / "files" / "sample.mbox", messages=MAILS)
        out.print(f"1. {events:,} events from an API at {base}, {page} a page")
        killed_at = _sync_and_kill(home, spec, database, events)
        out.print(
            f"   [red]SIGKILL[/red] with {killed_at:,} events landed. The same command again:"
        )
        _command(home, "sync", "--spec", str(spec))
        out.print(f"2. A mailbox of {mails:,} messages from disk")
        _command(home, "ingest", str(home / "files" / "sample.mbox"), "--address", OWNER_ADDRESS)
        documents = write_documents(home / "files" / "company")
        out.print(f"3. A folder of {documents} documents: read, cut into chunks, embedded")
        _command(home, "ingest", str(home / "files" / "company"))
        out.print("4. Is everything there, and only once?")
        _verify(database, events, mails, documents)
        out.print("5. Three searches by words, and one by meaning")
        for query in QUERIES:
            _search(database, query, settings)
        answer = _search(database, QUESTION, settings)
        if answer != ANSWER:
            raise HeadraceError(f"The demo found {answer} instead of {ANSWER}.", hint="Report it.")
    seconds = time.monotonic() - started
    if json:
        found = {"events": events, "messages": mails, "killed_at": killed_at, "lost": 0}
        answer_json({**found, "doubled": 0, "seconds": round(seconds, 1)})
    out.print(f"\n[green]Nothing lost, nothing doubled[/green], in {seconds:.0f} seconds. Next:\n")
    _next(home)


def _next(home: Path) -> None:
    """What to type next, as it works in this shell."""
    command = "headrace"
    if not shutil.which(command):
        me = Path(sys.argv[0])
        command = f"{sys.executable} -m headrace.cli" if me.name == "__main__.py" else str(me)
    for does, line in (
        ("the demo's own data", f'HEADRACE_HOME={home} {command} search "incident"'),
        ("your own mail", f"{command} ingest ~/mail.mbox"),
        ("your own documents", f"{command} ingest ~/Documents"),
        ("your own API: docs/tutorial.md", f"{command} sync --spec my-api.yaml"),
        ("all of it in a browser, kept current, and an HTTP API", f"{command} up"),
    ):
        out.print(f"  # {does}\n  {line}")


@contextmanager
def _fresh(settings: Settings) -> Iterator[Database]:
    """An embedded PostgreSQL of the demo's own, emptied."""
    shutil.rmtree(settings.postgres_folder, ignore_errors=True)
    with database_url(settings) as url:
        database = Database(url, name="demo", connections=2).open()
        try:
            yield database
        finally:
            database.close()


def _environment(home: Path) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("API_", "HEADRACE_"))}
    return {**kept, "HEADRACE_HOME": str(home), "DATABASE_URL": "", "API_BASE_URL": ""}


def _command(home: Path, *arguments: str) -> None:
    """Run `headrace ...` as a person would, in a process of its own."""
    command = [sys.executable, "-m", "headrace.cli", *arguments]
    ended = subprocess.run(command, env=_environment(home), stdout=out.file, check=False)  # noqa: S603
    if ended.returncode:
        raise HeadraceError(f"`headrace {arguments[0]}` ended with {ended.returncode}.")


def _sync_and_kill(home: Path, spec: Path, database: Database, events: int) -> int:
    """Start a sync, and kill it without warning once two fifths have landed."""
    command = [sys.executable, "-m", "headrace.cli", "sync", "--spec", str(spec)]
    worker = subprocess.Popen(command, env=_environment(home), stdout=out.file)  # noqa: S603
    try:
        _wait(lambda: worker.poll() is not None or _count(database) > events * 0.4)
    finally:
        worker.send_signal(signal.SIGKILL)
        worker.wait()
    out.print()
    return _count(database)


def _wait(ready: Callable[[], bool], seconds: float = 120) -> None:
    until = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > until:
            raise HeadraceError("The demo's worker made no progress.", hint="Is the disk full?")
        time.sleep(0.02)


def _count(database: Database) -> int:
    with database.connection() as connection:
        row = connection.execute(
            "SELECT coalesce(sum(inserted), 0)::bigint AS landed FROM headrace.batches"
        ).fetchone()
    return int(row["landed"]) if row else 0


def _verify(database: Database, events: int, mails: int, documents: int) -> None:
    """Hold the tables against the sources: every id, once. Raises HeadraceError otherwise."""
    with database.connection() as connection:
        raw = connection.execute(
            "SELECT r.source_id FROM headrace.raw_events r"
            " JOIN headrace.streams s USING (tenant_id, stream_id)"
            " WHERE s.content = 'application/json'"
        ).fetchall()
        shown = connection.execute(
            "SELECT (SELECT count(*) FROM headrace.events) AS events,"
            " (SELECT count(*) FROM headrace.interactions) AS interactions,"
            " (SELECT count(indexed_hash) FROM headrace.documents) AS documents,"
            " (SELECT coalesce(sum(dead_lettered), 0) FROM headrace.batches)"
            " + (SELECT coalesce(sum(dead_lettered), 0) FROM headrace.stage_runs) AS dead"
        ).fetchone()
    assert shown is not None, "an aggregate always answers"
    wanted = {event_id(SEED, number) for number in range(events)}
    found = [row["source_id"] for row in raw]
    lost, extra = len(wanted.difference(found)), len(set(found) - wanted)
    doubled = len(found) - len(set(found))
    out.print(f"   source {events:,} events: {lost} lost, {doubled} doubled, {extra} foreign")
    out.print(
        f"   searchable: {shown['events']:,} events, {shown['interactions']:,} messages,"
        f" {shown['documents']} documents"
    )
    out.print(f"   {shown['dead']:,} dead-lettered, with their bytes and the reason")
    accounted = shown["interactions"] + shown["dead"]
    there = (shown["events"], accounted, shown["documents"])
    if lost or extra or doubled or there != (events, mails, documents):
        raise HeadraceError(
            f"The demo's counts do not match: {lost} lost, {doubled} doubled, {extra} foreign, "
            f"{shown['events']} of {events} events, {accounted} of {mails} messages,"
            f" {shown['documents']} of {documents} documents.",
            hint="That must never happen: please report it.",
        )


def _search(database: Database, query: str, settings: Settings) -> str:
    """Show the two best answers; the id of the best one."""
    began = time.perf_counter()
    with database.people(TENANT, USER) as session:
        hits = search(session, query, limit=2, settings=settings)
    took = (time.perf_counter() - began) * 1000
    out.print(f'   [bold]"{query}"[/bold] ({took:.0f} ms)')
    if not hits:
        raise HeadraceError(f"The demo found nothing for {query!r}.", hint="Please report it.")
    for hit in hits:
        show_hit(hit)
    return hits[0].source_id
