"""Headrace over an account: the whole product, from a job's submission until every record has been
through its stage; three times, in one process. `python -m benchmarks.accounts_headrace GIVEN`.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

import msgspec
import psutil

from benchmarks.accounts_cases import Case, Spent, ask, spent
from benchmarks.machine import server_cpu as cpu_of_tree
from headrace.engine import jobs, state
from headrace.engine.progress import FINAL, Progress, progress
from headrace.engine.runtime import engine
from headrace.engine.schema import prepare
from headrace.oauth.sealed import Kept, seal
from headrace.provider import Provider
from headrace.providers.github import GitHub
from headrace.providers.gmail import Gmail
from headrace.providers.google_calendar import GoogleCalendar
from headrace.settings import load
from headrace.store import connections, grants
from headrace.store.database import Connection, Database

_MINE: dict[str, Any] = {"tenant": "default", "user": "me"}
_PROVIDERS: dict[str, type[Provider]] = {one.name: one for one in (Gmail, GoogleCalendar, GitHub)}
_QUICKEST, _SLOWEST = 0.02, 0.25  # seconds from one look to the next: a look costs time, too


class Given(msgspec.Struct, frozen=True):
    """What the worker is called with: where everything is, and the processes to watch."""

    case: Case
    url: str
    base: str
    home: str
    twin: int
    postmaster: int


class Look(msgspec.Struct):
    """At `seconds` so much had been fetched, and the process held so many bytes; `cpu` is what the
    service, the twin and PostgreSQL had used since the sync's beginning, in seconds."""

    seconds: float
    fetched: int
    rss: int
    cpu: list[float]


class Run(msgspec.Struct):
    """One sync: what it brought and what it asked for."""

    what: str
    landed: float
    shown: float
    fetched: int
    inserted: int
    spent: Spent
    looks: list[Look]

    def at(self, share: float) -> Look:
        """How it was when that share had been fetched: with the most memory held by then."""
        until = next(n for n, one in enumerate(self.looks) if one.fetched >= share * self.fetched)
        most = max(one.rss for one in self.looks[: until + 1])
        return msgspec.structs.replace(self.looks[until], rss=most)


class Runs(msgspec.Struct):
    """All syncs of a case."""

    runs: list[Run]


def work(given: Given) -> Runs:
    """A first sync, one with nothing changed, and one with something."""
    prepare(given.url)
    settings = load(
        database_url=given.url,
        headrace_home=Path(given.home),
        gmail_base_url=given.base,
        google_calendar_base_url=given.base,
        github_base_url=given.base,
        google_token_url=f"{given.base}/token",
        google_client_id="headrace.apps.googleusercontent.com",
        google_client_secret="GOCSPX-twin",
    )
    with engine(given.url, settings) as database:
        # The queues of a new database are noticed within a second of the engine's start.
        time.sleep(1.5)
        with database.transaction() as session:
            connection = connect(session, given)
        runs = [sync(database, given, connection, "first")]
        runs.append(sync(database, given, connection, "nothing changed"))
        changed = given.case.change(given.base)
        runs.append(sync(database, given, connection, "1 % changed"))
    if runs[1].inserted or runs[2].inserted < 0.9 * changed:
        raise SystemExit(f"Of {changed} changes {runs[2].inserted} were landed: {runs[1:]}")
    return Runs(runs)


def connect(session: Connection, given: Given) -> str:
    """The connection, with a credential that the twin takes; returns its id."""
    case, vault = given.case, state.current().vault
    row = connections.save(
        session, **_MINE, provider=case.provider, name="bench", config=case.config
    )
    connection = str(row["connection_id"])
    if case.provider == "github":
        sealed = vault.seal("ghp_twin", tenant="default", connection=connection)
        connections.seal(session, connection, sealed)
        return connection
    scopes = [*_PROVIDERS[case.provider].scopes]
    tokens = ask(given.base, "/admin/grant", {"scopes": scopes})
    grant = grants.save(session, **_MINE, issuer="google", account="ada@example.com", scopes=scopes)
    kept = Kept(tokens["access_token"], tokens["refresh_token"])
    grants.keep(session, "default", grant, seal(vault, "default", grant, kept), seconds=3_600)
    session.execute("UPDATE headrace.connections SET grant_id = %s", [grant])
    return connection


def sync(database: Database, given: Given, connection: str, what: str) -> Run:
    """One job, watched until everything is through its stage."""
    kind = _PROVIDERS[given.case.provider].kind
    asked, used = spent(given.case, given.base), _used(given)
    looks = []
    landed = 0.0
    myself = psutil.Process()
    began = time.perf_counter()
    with database.transaction() as session:
        job, _ = jobs.submit(session, **_MINE, kind=kind, connection_id=connection)
    while True:
        with database.connection() as session:
            now = progress(session, str(job["job_id"]))
        seconds = time.perf_counter() - began
        cpu = [after - before for after, before in zip(_used(given), used, strict=True)]
        looks.append(Look(seconds, now.fetched, myself.memory_info().rss, cpu))
        if now.status in FINAL and not landed:
            landed = seconds
        if now.settled:
            break
        time.sleep(min(_SLOWEST, max(_QUICKEST, seconds / 50)))
    _check(now)
    return Run(
        what,
        landed,
        seconds,
        now.fetched,
        now.inserted,
        spent(given.case, given.base).since(asked),
        looks,
    )


def _used(given: Given) -> list[float]:
    return [cpu_of_tree(one) for one in (os.getpid(), given.twin, given.postmaster)]


def _check(now: Progress) -> None:
    if now.status != "SUCCEEDED" or now.dead_lettered:
        raise SystemExit(f"The sync did not end well: {now}")


if __name__ == "__main__":
    done = work(msgspec.json.decode(sys.argv[1], type=Given))
    print(msgspec.json.encode(done).decode())
