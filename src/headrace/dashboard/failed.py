"""What a person reads in the place of a page that could not be made."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi.responses import HTMLResponse, Response

from headrace.dashboard import render

_WORDS = {
    400: ("That could not be read", "Load the page again."),
    401: ("Nobody knows you here", "Sign in."),
    403: ("Not from here", "Open the dashboard, and do it there."),
    404: ("Not here", "The first page leads to all there is."),
    405: ("That cannot be done here", "Go on from the first page."),
    409: ("Not as things are", "Load the page again: something has changed."),
    413: ("That is too much", "Send less at once."),
    422: ("That cannot be used", "Mend the address, or begin at the first page."),
    503: ("Not at the moment", "Load the page again in a moment."),
}
"""By status: what a page is called that could not be made, and what to do where nobody says."""

_LONGEST = 500
"""Characters of what is said: an address that repeats itself for pages is not worth reading."""

_PROGRAMS = ("/api/", "/ingestion/", "/openapi.json", "/health", "/ready", "/metrics", "/mcp")


def wants_page(scope: Mapping[str, Any]) -> bool:
    """Whether it is a browser that asks, for something that is a page."""
    accept = dict(scope.get("headers", ())).get(b"accept", b"")
    return b"text/html" in accept and not scope.get("path", "/").startswith(_PROGRAMS)


def logged(path: str) -> str:
    """A path as a log may have it: whoever reads that must not find a link that is still good."""
    return "/welcome/..." if path.startswith("/welcome/") else path


def failed(
    scope: Mapping[str, Any], status: int, message: str, hint: str, headers: Mapping[str, str]
) -> Response:
    """The page that says what went wrong and what to do."""
    if "Location" in headers:
        return Response(status_code=status, headers=headers)
    title, todo = _WORDS.get(status, (HTTPStatus(status).phrase, ""))
    context = {
        "title": title,
        "message": message if len(message) <= _LONGEST else f"{message[:_LONGEST]}...",
        "hint": hint or todo,
        "request_id": scope.get("state", {}).get("request_id", ""),
    }
    answer: HTMLResponse = render.page("failed.html", context, status)
    answer.headers.update(headers)
    return answer
