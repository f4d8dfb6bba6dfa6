"""`headrace up`, `api`, `worker`, `migrate`, `check`: the processes of the service."""

from __future__ import annotations

import signal
import threading

from headrace import telemetry
from headrace.cli.house import TENANT, USER, database_url, reading
from headrace.cli.options import Json
from headrace.cli.show import answer_json, out, say
from headrace.plugins import providers, stages
from headrace.settings import Settings, load
from headrace.store.database import Database
from headrace.store.keys import ensure_first


def up() -> None:
    """Run everything in one process: API, workers, and an embedded PostgreSQL if none is set.

    Prints the address, and once the first API key. Control-C ends it; all work can be resumed.
    """
    from headrace.engine.runtime import engine

    settings = load()
    telemetry.configure(settings.log_level)
    with database_url(settings) as url, engine(url, settings) as database:
        _introduce(database, settings)
        _serve(database, settings)


def api() -> None:
    """Run the API alone; jobs wait for a `headrace worker`."""
    settings = load()
    telemetry.configure(settings.log_level)
    with database_url(settings) as url:
        database = Database(url, name="headrace api", connections=16).open()
        try:
            _introduce(database, settings)
            _serve(database, settings)
        finally:
            database.close()


def _introduce(database: Database, settings: Settings) -> None:
    chosen = settings.headrace_api_key
    with database.transaction() as session:
        made = ensure_first(session, chosen.get_secret_value() if chosen else None)
    host = settings.service_host
    say(f"Headrace serves on [bold]http://{host}:{settings.service_port}[/bold]")
    if host in ("127.0.0.1", "localhost", "::1"):
        say("  Only this machine can reach it; SERVICE_HOST=0.0.0.0 opens it to the network.")
    else:
        say("  [yellow]The network can reach it: keep its keys, and put TLS in front.[/yellow]")
    if made:
        say(f"  API key, shown this once: [bold]{made}[/bold]")
        say(f"  It is {USER}'s key of tenant {TENANT}; send it as X-API-Key or as a bearer token.")


def _serve(database: Database, settings: Settings) -> None:
    # Only these two commands need the web framework: the others start faster without it.
    from headrace.api import create_app, serve

    serve(create_app(database, settings), settings)


def worker() -> None:
    """Run jobs until told to stop. Any number of these share the work of one PostgreSQL."""
    from headrace.engine.runtime import engine

    settings = load()
    telemetry.configure(settings.log_level)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with database_url(settings) as url, engine(url, settings):
        telemetry.started("worker", jobsAtOnce=settings.headrace_workers)
        while not stop.wait(3600):
            pass


def migrate() -> None:
    """Bring the database to this version's schema. Every command does so by itself; operators who
    keep the rights apart run this one with an account that may."""
    settings = load()
    with database_url(settings):
        out.print("The database is up to date.")


def check(json: Json = False) -> None:
    """Check settings, database and plugins, and say what is wrong and what to do."""
    from headrace.engine.runtime import check as prove

    settings = load()
    prove()
    with reading() as database, database.connection() as connection:
        row = connection.execute("SHOW server_version").fetchone()
    found = {
        "database": "DATABASE_URL" if settings.database_url else "embedded",
        "postgresql": row["server_version"] if row else "",
        "home": str(settings.headrace_home),
        "providers": sorted(providers()),
        "stages": sorted(stages()),
    }
    if json:
        answer_json(found)
        return
    for name, value in found.items():
        out.print(f"{name:12} {', '.join(value) if isinstance(value, list) else value}")
    out.print("[green]All is well.[/green]")
