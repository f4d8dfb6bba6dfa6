"""The application, and the ways to bring it up."""

from __future__ import annotations

import asyncio
import errno
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from functools import partial
from math import ceil
from threading import Event
from types import FrameType
from typing import Any

import uvicorn
from fastapi import APIRouter, Depends, FastAPI, Request

from headrace import __version__, dashboard, telemetry
from headrace.api import (
    accounts,
    alerts,
    attachments,
    changes,
    connections,
    consents,
    contacts,
    dead_letters,
    graphs,
    health,
    ingestion,
    insights,
    job_events,
    job_log,
    jobs,
    memory,
    metrics,
    problems,
    records,
    replay,
    retention,
    schedules,
    search,
    timeline,
    uploads,
    webhooks,
    why,
)
from headrace.api.auth import visit
from headrace.api.description import describe
from headrace.api.envelope import Envelope
from headrace.errors import BadInput
from headrace.out.attached import READERS
from headrace.out.metrics.answered import Answered
from headrace.out.metrics.page import Page
from headrace.settings import Settings, load
from headrace.store.database import Database
from headrace.store.keys import ensure_first
from headrace.store.waiting import patiently

ROUTERS = (
    alerts,
    graphs,
    job_events,
    job_log,
    jobs,
    connections,
    consents,
    accounts,
    search,
    attachments,
    memory,
    timeline,
    records,
    changes,
    contacts,
    insights,
    dead_letters,
    replay,
    retention,
    schedules,
    webhooks,
    why,
)


class FrontDesk(Database):
    """The pool that requests are served from. Jobs cannot drain it; and when it has nothing to
    give, it says so soon: nobody waits half a minute at a desk."""

    CONNECTIONS = 16
    PATIENCE_SECONDS = 2.0

    def __init__(self, url: str) -> None:
        super().__init__(url, name="headrace api", connections=self.CONNECTIONS)
        self._pool.timeout = self.PATIENCE_SECONDS


def create_app(database: Database | None = None, settings: Settings | None = None) -> FastAPI:
    """The application over a migrated database; it makes a pool of its own to it.

    Without one, it brings up what the settings name. Either happens when it is started: importing
    and making it connects to nothing.
    """
    app = FastAPI(
        title="Headrace",
        version=__version__,
        description="Outside data in your own PostgreSQL, exactly once. Errors are problems with a"
        " hint (RFC 9457).",
        docs_url=None,  # its page loads scripts from elsewhere
        redoc_url=None,
        openapi_url=None,
        lifespan=partial(_lifespan, database=database, settings=settings),
    )
    problems.install(app)
    app.add_middleware(Envelope)
    app.include_router(health.router)
    app.include_router(consents.open_router)
    app.include_router(metrics.router)
    # The key is asked for here, once, so that no route can forget to.
    keyed = APIRouter(dependencies=[Depends(visit)])
    for one in ROUTERS:
        keyed.include_router(one.router, prefix="/api")
    keyed.include_router(ingestion.router)
    keyed.include_router(uploads.router)
    keyed.add_api_route("/openapi.json", _description, methods=["GET"], tags=["description"])
    app.include_router(keyed)
    app.include_router(dashboard.router)
    app.state.leaving = Event()
    app.state.answered = Answered()
    app.openapi = partial(describe, app)  # type: ignore[method-assign]
    return app


def _description(request: Request) -> dict[str, Any]:
    """This description, as OpenAPI."""
    described: dict[str, Any] = request.app.openapi()
    return described


def listen(settings: Settings) -> socket.socket:
    """Take SERVICE_HOST and SERVICE_PORT: this machine only, if unset. Raises BadInput when they
    cannot be had, which is better known before anything else is started."""
    host, port = settings.service_host, settings.service_port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        why = (error.strerror or str(error)).partition(" (while")[0].lower()
        if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
            raise BadInput(
                f"SERVICE_HOST {host} is no address of this machine.",
                hint="127.0.0.1 is for this machine only, 0.0.0.0 for everybody who can reach it.",
            ) from None
        asks = "Does something else run there?"
        if isinstance(error, PermissionError):
            asks = "Ports below 1024 are for root."
        raise BadInput(
            f"Port {port} on {host} cannot be used: {why}.",
            hint=f"{asks} SERVICE_PORT names another; 0 takes any.",
        ) from None
    # Connections inherit it. asyncio sets it only on sockets that name their protocol, which this
    # one does not, and without it an answer's second half waits 40 ms for the caller's word.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


class _Server(uvicorn.Server):
    """Tells somebody of each signal at once, and does not wait any more after the second. `told` is
    set by them: a signal may have come before this one listens to any."""

    def __init__(
        self, config: uvicorn.Config, signalled: Callable[[int], object], told: Event
    ) -> None:
        super().__init__(config)
        self._signalled = signalled
        self._told = told

    async def on_tick(self, counter: int) -> bool:
        return await super().on_tick(counter) or self._told.is_set()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        del frame
        self.should_exit, self.force_exit = True, self.should_exit
        telemetry.cut_offs(said=not self.force_exit)
        self._signalled(sig)


def serve(
    app: FastAPI,
    listener: socket.socket,
    *,
    signalled: Callable[[int], object],
    told: Event,
    seconds: float,
) -> None:
    """Serve on what `listen` gave until a signal comes, which `signalled` is called with, or `told`
    is set. Requests that are being answered then have so many seconds to end; a second signal cuts
    them off."""
    app.state.leaving = told  # what would go on for ever ends
    config = uvicorn.Config(
        app,
        log_config=None,  # headrace.telemetry writes the log
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=ceil(seconds),
    )
    telemetry.cut_offs()
    _Server(config, signalled, told).run(sockets=[listener])


@asynccontextmanager
async def _lifespan(
    app: FastAPI, *, database: Database | None, settings: Settings | None
) -> AsyncIterator[None]:
    with ExitStack() as opened:
        app.state.settings = settings or await asyncio.to_thread(load)
        if database is None:
            url = await asyncio.to_thread(_bring_up, opened, app.state.settings)
        else:
            url = database.url
        desk = FrontDesk(url)
        opened.callback(desk.close)
        app.state.upload_writers = asyncio.Semaphore(uploads.WRITERS)
        app.state.attachment_readers = asyncio.Semaphore(READERS)
        app.state.metrics = Page(desk, app.state.settings, app.state.answered)
        app.state.database = await asyncio.to_thread(desk.open)
        await asyncio.to_thread(dashboard.get_ready)
        yield


def _bring_up(opened: ExitStack, settings: Settings) -> str:
    """What `uvicorn headrace.api:app` stands on: the database of the settings, migrated, a key that
    opens it, and a worker in the same process."""
    # Late, because only here the engine's library is needed, and it takes half a second to import.
    from headrace.engine.runtime import patient_engine
    from headrace.engine.schema import prepare
    from headrace.store import embedded

    telemetry.configure(settings.log_level)
    url = settings.database_url
    if url is None:
        url = opened.enter_context(embedded.kept(settings.postgres_folder))
    patiently(settings.headrace_database_wait, partial(prepare, url))
    chosen = settings.headrace_api_key
    database = Database(url, name="headrace api", connections=1).open()
    try:
        with database.transaction() as connection:
            made = ensure_first(connection, chosen.get_secret_value() if chosen else None)
    finally:
        database.close()
    if made:
        # Not to the log: logs are kept, and this is shown once.
        sys.stderr.write(f"API key, shown this once: {made}\n")
    # Nobody else may be there to do the work that is asked for here.
    opened.enter_context(patient_engine(url, settings))
    telemetry.started("api")
    return url
