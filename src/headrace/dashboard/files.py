"""The style sheet and the script. Their addresses change with them, so browsers keep them."""

from __future__ import annotations

import mimetypes

from fastapi import APIRouter
from fastapi.responses import FileResponse

from headrace.dashboard.render import STATIC, asset
from headrace.errors import NotFound

router = APIRouter(include_in_schema=False)

_NAMES = {file.name for file in STATIC.iterdir() if file.is_file()}
_FOR_EVER = {"Cache-Control": "public, max-age=31536000, immutable"}


@router.api_route("/static/{digest}/{name}", methods=["GET", "HEAD"])
def static(digest: str, name: str) -> FileResponse:
    """One of them. Raises NotFound, also for one of another version: a page names its own."""
    if name not in _NAMES or asset(name) != f"/static/{digest}/{name}":
        raise NotFound("There is no such file.", hint="Load the page again.")
    kind = mimetypes.guess_type(name)[0]
    return FileResponse(STATIC / name, headers=_FOR_EVER, media_type=kind)
