"""`headrace up`, `api`, `worker`, `migrate`: the processes of the service."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from headrace import __version__, telemetry
from headrace.cli import Stop
from headrace.cli.house import TENANT, database_url
from headrace.cli.options import Json
from headrace.cli.show import answer_json, out, say
from headrace.settings import Settings, load
from headrace.store.database import Database
from headrace.store.keys import ensure_first


def up(json: Json = False) -> None:
    """Run everything in one process: API, workers, and an embedded PostgreSQL if none is set.

    Prints the address, and once the first API key. Control-C ends it; all work can be resumed.
    """
    from headrace.engine.runtime import engine

    with (
        _listening() as (settings, listener),
        database_url(settings) as url,
        engine(url, settings) as database,
    ):
        _serve(database, settings, listener, json=json)


def api(json: Json = False) -> None:
    """Run the API alone; jobs wait for a `headrace worker`."""
    with _listening() as (settings, listener), database_url(settings) as url:
        database = Database(url, name="headrace api", connections=16).open()
        try:
            _serve(database, settings, listener, json=json)
        finally:
            database.close()


@contextmanager
def _listening() -> Iterator[tuple[Settings, socket.socket]]:
    """The port first: that it is taken is to be known before anything else is started."""
    # Only these two commands need the web framework: the others start faster without it.
    from headrace.api import listen

    settings = load()
    with listen(settings) as listener:
        telemetry.configure(settings.log_level)
        yield settings, listener


def _serve(database: Database, settings: Settings, listener: socket.socket, *, json: bool) -> None:
    from headrace.api import create_app, serve

    _introduce(database, settings, listener.getsockname()[1], json=json)
    try:
        serve(create_app(database, settings), listener)
    except Stop:
        pass  # a signal is how it is meant to end


def _introduce(database: Database, settings: Settings, port: int, *, json: bool) -> None:
    chosen = settings.headrace_api_key
    with database.transaction() as session:
        made = ensure_first(session, chosen.get_secret_value() if chosen else None)
    host = settings.service_host
    url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    if json:
        answer_json({"url": url, "api_key": made})
        return
    say(f"Headrace serves on [bold]{url}[/bold]")
    if host in ("127.0.0.1", "localhost", "::1"):
        say("  Only this machine can reach it; SERVICE_HOST=0.0.0.0 opens it to the network.")
    else:
        say("  [yellow]The network can reach it: keep its keys, and put TLS in front.[/yellow]")
    if made:
        say(f"  API key, shown this once: [bold]{made}[/bold]")
        say(f"  Send it as X-API-Key or as a bearer token. It opens all of tenant {TENANT!r}.")


def worker(json: Json = False) -> None:
    """Run jobs until told to stop. Any number of these share the work of one PostgreSQL."""
    from headrace.engine.runtime import engine

    settings = load()
    telemetry.configure(settings.log_level)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with database_url(settings) as url, engine(url, settings):
        telemetry.started("worker", jobsAtOnce=settings.headrace_workers)
        if json:
            answer_json({"jobs_at_once": settings.headrace_workers})
        while not stop.wait(3600):
            pass


def migrate(json: Json = False) -> None:
    """Bring the database to this version's schema. Every command does so by itself; operators who
    keep the rights apart run this one with an account that may."""
    settings = load()
    with database_url(settings):
        if json:
            answer_json({"version": __version__})
        else:
            out.print("The database is up to date.")
