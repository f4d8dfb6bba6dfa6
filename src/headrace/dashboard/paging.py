"""Where a listing goes on: an opaque text in the address."""

from __future__ import annotations

from urllib.parse import urlencode

from fastapi import Request

from headrace.dashboard.entry import LIVE


def with_asked(request: Request, **changes: str | None) -> str:
    """The address of this page with other questions; None leaves one out."""
    asked = {key: value for key, value in request.query_params.items() if value}
    for name, value in changes.items():
        asked.pop(name, None)
        if value is not None:
            asked[name] = value
    return f"?{urlencode(asked)}" if asked else request.url.path.removeprefix(LIVE)
