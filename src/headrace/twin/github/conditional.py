"""Validators: a weak ETag that depends on the token as well, Last-Modified, and 304."""

from __future__ import annotations

import hashlib
from email.utils import formatdate, parsedate_to_datetime

from headrace.twin.message import Request


def validators(token: str, body: bytes, modified_s: int | None) -> dict[str, str]:
    """The headers that let a client ask again for less."""
    digest = hashlib.sha256(token.encode() + b"\0" + body).hexdigest()
    headers = {"ETag": f'W/"{digest}"'}
    if modified_s is not None:
        headers["Last-Modified"] = formatdate(modified_s, usegmt=True)
    return headers


def is_unchanged(request: Request, etag: str, modified_s: int | None) -> bool:
    """Whether the client has this already. An ETag it names counts before a date."""
    names = request.headers.get("if-none-match")
    if names is not None:
        opaque = etag.removeprefix("W/")
        named = [name.strip().removeprefix("W/") for name in names.split(",")]
        return "*" in named or opaque in named
    since = request.headers.get("if-modified-since")
    if since is None or modified_s is None:
        return False
    try:
        return modified_s <= parsedate_to_datetime(since).timestamp()
    except ValueError:
        return False
