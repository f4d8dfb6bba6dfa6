"""`headrace open`: the dashboard in a browser, for whoever is at the machine."""

from __future__ import annotations

import http.client
import json as codec
import os
import sys
import webbrowser
from http import HTTPStatus
from typing import Annotated
from urllib.parse import urlsplit

import typer

from headrace.cli.house import TENANT, USER, reading
from headrace.cli.options import Json
from headrace.cli.show import answer_json, out
from headrace.errors import BadInput, Unavailable
from headrace.settings import Settings, load
from headrace.store import sessions
from headrace.store.database import Database
from headrace.store.keys import Caller

_PATIENCE_SECONDS = 3.0

Printed = Annotated[bool, typer.Option("--print", help="Open nothing, only print the link.")]


def open_dashboard(printed: Printed = False, json: Json = False) -> None:
    """Open the dashboard in a browser, signed in. Prints the link, which is good once and for ten
    minutes: on a machine without a browser, open it on yours."""
    settings = load()
    here = local_address(settings)
    # A public address may be that of another machine, which this one need not reach.
    near = settings.headrace_public_url is None
    if near and not answers(here):
        raise Unavailable(
            f"Headrace does not answer at {here}.",
            hint="`headrace up` starts it. Where it listens elsewhere, set SERVICE_PORT as there.",
        )
    with reading() as database:
        link = welcome(database, settings, here)
    if near and _asked(here, urlsplit(link).path) == HTTPStatus.UNAUTHORIZED:
        raise BadInput(
            f"The Headrace at {here} works on another database than this command.",
            hint="Set DATABASE_URL and HEADRACE_HOME here as they are there.",
        )
    if json:
        answer_json({"link": link})
        return
    out.print(link, soft_wrap=True)
    if not printed:
        show(link)


def welcome(database: Database, settings: Settings, url: str) -> str:
    """A link that opens the dashboard at `url`, or at its public address, for one browser."""
    with database.transaction() as session:
        token = sessions.link(session, Caller(TENANT, USER, None))
    return f"{(settings.headrace_public_url or url).rstrip('/')}/welcome/{token}"


def local_address(settings: Settings, port: int | None = None) -> str:
    """Where this machine reaches the API: what listens everywhere, it reaches as itself."""
    host = settings.service_host
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
    named = f"[{host}]" if ":" in host else host
    return f"http://{named}:{settings.service_port if port is None else port}"


def answers(url: str) -> bool:
    """Whether a Headrace is there."""
    return _asked(url, "/health") == HTTPStatus.OK


def show(url: str) -> bool:
    """Open an address in a browser, and whether there is one. There has to be a screen for it: a
    browser for terminals would take this one over."""
    screen = sys.platform in ("darwin", "win32") or any(
        os.environ.get(name) for name in ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY")
    )
    return screen and webbrowser.open(url)


def _asked(url: str, path: str) -> int | None:
    """The status that a Headrace there gives; None where there is none, or nobody. Not by way of a
    proxy, which the environment may name."""
    parts = urlsplit(url)
    line = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=_PATIENCE_SECONDS)
    try:
        line.request("GET", path, headers={"Accept": "application/json"})
        answer = line.getresponse()
        ours = answer.headers["X-Request-ID"] is not None
        if path == "/health":
            ours = "version" in codec.loads(answer.read())
        return answer.status if ours else None
    except (OSError, http.client.HTTPException, ValueError, TypeError):
        return None
    finally:
        line.close()
