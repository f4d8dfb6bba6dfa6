"""Templates to pages. Everything is escaped; nothing is fetched from another host, no script is
inside a page."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from headrace import __version__
from headrace.dashboard.words import FILTERS
from headrace.plugins import sync_kinds

STATIC = Path(__file__).parent / "static"

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
_HEADERS = {"Content-Security-Policy": POLICY, "Referrer-Policy": "same-origin"}

Context = Mapping[str, Any]


def page(template: str, context: Context, status: int = 200) -> HTMLResponse:
    """A whole page. `context` has what its template names."""
    text = _templates().get_template(template).render(context)
    return HTMLResponse(text, status, headers=_HEADERS)


def region(template: str, context: Context) -> str:
    """The part of a page that changes by itself: its block `live`."""
    found = _templates().get_template(template)
    made = found.new_context({**found.globals, **context})
    return "".join(found.blocks["live"](made))


def get_ready() -> None:
    """Do what is done once in a process, so that nobody's first page waits for it."""
    sync_kinds()
    templates = _templates()
    for name in templates.list_templates():
        templates.get_template(name)


@cache
def asset(name: str) -> str:
    """The address of a file in `static/`, which changes with what is in it."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:16]
    return f"/static/{digest}/{name}"


@cache
def _templates() -> Environment:
    made = Environment(
        loader=PackageLoader("headrace.dashboard"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(FILTERS)
    made.globals.update(asset=asset, version=__version__)
    return made
