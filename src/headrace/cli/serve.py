"""`headrace up`, `api`, `worker`, `migrate`: the processes of the service."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from headrace import __version__, telemetry
from headrace.cli import signals_held
from headrace.cli.ending import Ending, ending
from headrace.cli.house import TENANT, database_url
from headrace.cli.opening import answers, local_address, welcome
from headrace.cli.options import Json
from headrace.cli.show import answer_json, out, say
from headrace.errors import BadInput
from headrace.settings import Settings, load
from headrace.store.database import Database
from headrace.store.keys import ensure_first
from headrace.store.waiting import patiently


def up(json: Json = False) -> None:
    """Run everything in one process: API, workers, and an embedded PostgreSQL if none is set.

    Prints the address, and once the first API key. Control-C ends it; all work can be resumed.
    """
    with (
        ending() as told,
        _listening() as (settings, listener),
        _working(settings, told) as database,
    ):
        _serve(database, settings, listener, told, json=json)


def api(json: Json = False) -> None:
    """Run the API alone; jobs wait for a `headrace worker`."""
    with signals_held():
        from headrace.engine.alarm import watching
    with (
        ending() as told,
        _listening() as (settings, listener),
        database_url(settings, wait=settings.headrace_database_wait) as url,
    ):
        database = Database(url, name="headrace api", connections=16).open()
        try:
            told.ready(lambda: None, lambda: None)
            with watching(database, settings):
                _serve(database, settings, listener, told, json=json)
        finally:
            database.close()


@contextmanager
def _listening() -> Iterator[tuple[Settings, socket.socket]]:
    """The port first: that it is taken is to be known before anything else is started."""
    # Only these two commands need the web framework: the others start faster without it.
    with signals_held():
        from headrace.api import listen

    settings = load()
    try:
        listener = listen(settings)
    except BadInput:
        if not answers(here := local_address(settings)):
            raise
        raise BadInput(
            f"Headrace runs already at {here}.",
            hint="`headrace open` opens it; SERVICE_PORT=0 starts another one at any free port.",
        ) from None
    with listener:
        telemetry.configure(settings.log_level)
        yield settings, listener


@contextmanager
def _working(settings: Settings, told: Ending) -> Iterator[Database]:
    """The engine, in this process: it ends when this is told to."""
    with signals_held():
        from headrace.engine import leaving
        from headrace.engine.runtime import patient_engine
    with (
        database_url(settings, wait=settings.headrace_database_wait) as url,
        patient_engine(url, settings) as database,
    ):
        told.ready(leaving.begin, leaving.hurry)
        yield database


def _serve(
    database: Database, settings: Settings, listener: socket.socket, told: Ending, *, json: bool
) -> None:
    from headrace.api import create_app, serve

    _introduce(database, settings, listener.getsockname()[1], json=json)
    serve(
        create_app(database, settings),
        listener,
        signalled=told.signalled,
        told=told.told,
        seconds=settings.headrace_drain_seconds,
    )


def _introduce(database: Database, settings: Settings, port: int, *, json: bool) -> None:
    chosen = settings.headrace_api_key

    def first() -> str | None:
        with database.transaction() as session:
            return ensure_first(session, chosen.get_secret_value() if chosen else None)

    made = patiently(settings.headrace_database_wait, first)
    host = settings.service_host
    url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    link = welcome(database, settings, local_address(settings, port))
    if json:
        answer_json({"url": url, "api_key": made, "link": link})
        return
    say(f"Headrace serves on [bold]{url}[/bold]")
    say(f"  Open it signed in, once and within ten minutes: {link}")
    if host in ("127.0.0.1", "localhost", "::1"):
        say("  Only this machine can reach it; SERVICE_HOST=0.0.0.0 opens it to the network.")
    else:
        say("  [yellow]The network can reach it: keep its keys, and put TLS in front.[/yellow]")
    if made:
        say(f"  API key, shown this once: [bold]{made}[/bold]")
        say(f"  Send it as X-API-Key or as a bearer token. It opens all of tenant {TENANT!r}.")


def worker(json: Json = False) -> None:
    """Run jobs until told to stop. Any number of these share the work of one PostgreSQL."""
    settings = load()
    telemetry.configure(settings.log_level)
    with ending() as told, _working(settings, told):
        telemetry.started("worker", jobsAtOnce=settings.headrace_workers)
        if json:
            answer_json({"jobs_at_once": settings.headrace_workers})
        told.wait()


def migrate(json: Json = False) -> None:
    """Bring the database to this version's schema. Every command does so by itself; operators who
    keep the rights apart run this one with an account that may."""
    settings = load()
    with database_url(settings):
        if json:
            answer_json({"version": __version__})
        else:
            out.print("The database is up to date.")
