"""What is attached to a message, as a file."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from headrace.api.auth import Visitor
from headrace.out.attached import attached, headers

router = APIRouter(tags=["records"])

_ANY: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Its bytes, of the type that its sender says.",
        "content": {"*/*": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.get(
    "/interactions/{stream_id}/{source_id:path}/attachments/{index}",
    response_class=Response,
    responses=_ANY,
)
async def get_attachment(
    visitor: Visitor,
    request: Request,
    stream_id: int,
    source_id: str,
    index: Annotated[int, Path(ge=0, description="Its place in `attachments`, from 0.")],
) -> Response:
    """What is attached to a message, as a file. It is asked for at the source, where that keeps
    it; of imported mail it is here."""
    readers = request.app.state.attachment_readers
    found = await attached(visitor, readers, stream_id, source_id, index)
    return Response(found.content, headers=headers(found))
