"""The application, and the ways to bring it up."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from functools import partial
from typing import Any

import uvicorn
from fastapi import APIRouter, Depends, FastAPI, Request

from headrace import __version__, telemetry
from headrace.api import connections, dead_letters, health, jobs, problems, records, search
from headrace.api.auth import visit
from headrace.api.description import describe
from headrace.api.envelope import Envelope
from headrace.settings import Settings, load
from headrace.store.database import Database
from headrace.store.keys import ensure_first

ROUTERS = (jobs, connections, search, records, dead_letters)


def create_app(database: Database | None = None, settings: Settings | None = None) -> FastAPI:
    """The application over an open database.

    Without one, it opens what the settings name when it is started, and nothing before: importing
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
    app.state.database = database
    problems.install(app)
    app.add_middleware(Envelope)
    app.include_router(health.router)
    # The key is asked for here, once, so that no route can forget to.
    keyed = APIRouter(dependencies=[Depends(visit)])
    for one in ROUTERS:
        keyed.include_router(one.router, prefix="/api")
    keyed.add_api_route("/openapi.json", _description, methods=["GET"], tags=["description"])
    app.include_router(keyed)
    app.openapi = partial(describe, app)  # type: ignore[method-assign]
    return app


def _description(request: Request) -> dict[str, Any]:
    """This description, as OpenAPI."""
    described: dict[str, Any] = request.app.openapi()
    return described


def serve(app: FastAPI, settings: Settings) -> None:
    """Serve until told to stop, on SERVICE_HOST and SERVICE_PORT: this machine only, if unset."""
    uvicorn.run(
        app,
        host=settings.service_host,
        port=settings.service_port,
        log_config=None,  # headrace.telemetry writes the log
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=10,
    )


@asynccontextmanager
async def _lifespan(
    app: FastAPI, *, database: Database | None, settings: Settings | None
) -> AsyncIterator[None]:
    with ExitStack() as opened:
        if database is None:
            app.state.database = await asyncio.to_thread(_open, opened, settings or load())
        yield


def _open(opened: ExitStack, settings: Settings) -> Database:
    """What `uvicorn headrace.api:app` stands on: the database of the settings, migrated."""
    # Late, because only here the engine's library is needed, and it takes half a second to import.
    from headrace.engine.schema import prepare
    from headrace.store import embedded

    telemetry.configure(settings.log_level)
    url = settings.database_url
    if url is None:
        url = opened.enter_context(embedded.postgres(settings.postgres_folder))
    prepare(url)
    database = Database(url, name="headrace api", connections=16).open()
    opened.callback(database.close)
    chosen = settings.headrace_api_key
    with database.transaction() as connection:
        made = ensure_first(connection, chosen.get_secret_value() if chosen else None)
    if made:
        # Not to the log: logs are kept, and this is shown once.
        sys.stderr.write(f"API key, shown this once: {made}\n")
    telemetry.started("api")
    return database
