"""The bytes of a message as the tree of parts that Gmail's `full` format is."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from email import message_from_bytes
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message
from typing import Any

Json = dict[str, Any]
Attach = Callable[[str], str]
"""Makes an attachment id of a part's id."""


def base64url(content: bytes) -> str:
    """As Google's APIs give bytes, padding and all."""
    return base64.urlsafe_b64encode(content).decode()


def payload(content: bytes, attach: Attach) -> Json:
    """The whole tree. Part ids are places in it: "" the root, "0" and "0.1" below."""
    return _part(message_from_bytes(content), "", attach)


def head(content: bytes, wanted: tuple[str, ...]) -> Json:
    """The root's headers alone, those `wanted` or all of them."""
    message = message_from_bytes(content)
    names = {name.lower() for name in wanted}
    found = [one for one in headers(message) if not names or one["name"].lower() in names]
    return {"mimeType": message.get_content_type(), "headers": found}


def part_content(content: bytes, part_id: str) -> bytes | None:
    """The bytes of one part of a message; None if it has no such part."""
    for name, part in _walk(message_from_bytes(content), ""):
        if name == part_id:
            return _content(part)
    return None


def snippet(content: bytes) -> str:
    """The beginning of the text, its white space run together."""
    for _, part in _walk(message_from_bytes(content), ""):
        if part.get_content_maintype() == "text" and not part.get_filename():
            text = _content(part)[:2_000].decode("utf-8", "replace")
            return " ".join(text.split())[:200]
    return ""


def headers(message: Message) -> list[dict[str, str]]:
    """Every header in its order, unfolded and with encoded words decoded."""
    return [{"name": name, "value": _decoded(value)} for name, value in message.raw_items()]


def _part(message: Message, part_id: str, attach: Attach) -> Json:
    made: Json = {
        "partId": part_id,
        "mimeType": message.get_content_type(),
        "filename": _decoded(message.get_filename() or ""),
        "headers": headers(message),
    }
    inner = _inner(message)
    if inner:
        made["body"] = {"size": 0}
        made["parts"] = [_part(one, _name(part_id, at), attach) for at, one in enumerate(inner)]
        return made
    content = _content(message)
    made["body"] = {"size": len(content)}
    if made["filename"]:
        made["body"]["attachmentId"] = attach(part_id)
    elif content:
        made["body"]["data"] = base64url(content)
    return made


def _walk(message: Message, part_id: str) -> Iterator[tuple[str, Message]]:
    """Every leaf with its id."""
    inner = _inner(message)
    if not inner:
        yield part_id, message
    for at, one in enumerate(inner):
        yield from _walk(one, _name(part_id, at))


def _inner(message: Message) -> list[Message]:
    parts = message.get_payload()
    if message.get_content_maintype() != "multipart" or not isinstance(parts, list):
        return []
    return [one for one in parts if isinstance(one, Message)]


def _name(above: str, at: int) -> str:
    return f"{above}.{at}" if above else str(at)


def _content(message: Message) -> bytes:
    """What a leaf holds, its transfer encoding undone; a message inside is its own bytes."""
    inner = message.get_payload()
    if isinstance(inner, list):
        return b"".join(one.as_bytes() for one in inner if isinstance(one, Message))
    content = message.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


def _decoded(value: object) -> str:
    raw = str(value).replace("\r", "").replace("\n", "")
    text = raw.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    try:
        return str(make_header(decode_header(text)))
    except (HeaderParseError, LookupError, ValueError):
        return text
