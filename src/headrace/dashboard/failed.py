"""What a person reads in the place of a page that could not be made."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi.responses import HTMLResponse, Response

from headrace.dashboard import render

_PROGRAMS = ("/api/", "/ingestion/", "/openapi.json", "/health", "/ready", "/metrics", "/mcp")


def wants_page(scope: Mapping[str, Any]) -> bool:
    """Whether it is a browser that asks, for something that is a page."""
    accept = dict(scope.get("headers", ())).get(b"accept", b"")
    return b"text/html" in accept and not scope.get("path", "/").startswith(_PROGRAMS)


def failed(
    scope: Mapping[str, Any], status: int, message: str, hint: str, headers: Mapping[str, str]
) -> Response:
    """The page that says what went wrong and what to do."""
    if "Location" in headers:
        return Response(status_code=status, headers=headers)
    context = {
        "title": HTTPStatus(status).phrase,
        "message": message,
        "hint": hint,
        "request_id": scope.get("state", {}).get("request_id", ""),
    }
    answer: HTMLResponse = render.page("failed.html", context, status)
    answer.headers.update(headers)
    return answer
