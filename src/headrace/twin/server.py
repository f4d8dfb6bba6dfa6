"""A minimal HTTP/1.1 server on asyncio streams: keep-alive, bounded, loopback only.

It knows what clients of a twin send: bodies with a Content-Length, one request after another on a
connection. A framework would cost more per request than making a page of 100 events does.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from urllib.parse import parse_qsl, unquote, urlsplit

from headrace.errors import BadInput
from headrace.twin.delivery import deliver
from headrace.twin.message import Answer, Refused, Request

HEAD_LIMIT_BYTES = 16_384
BODY_LIMIT_BYTES = 1_048_576

Handler = Callable[[Request], Awaitable[Answer]]


@asynccontextmanager
async def listening(handle: Handler, port: int) -> AsyncIterator[str]:
    """Serve on 127.0.0.1:`port` (0: any free one) and yield the base URL.

    On leaving, open exchanges are dropped as they stand. Raises BadInput if the port is taken.
    """
    conversations: set[asyncio.Task[None]] = set()

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        conversations.add(task)
        try:
            await _converse(handle, reader, writer)
        except (OSError, EOFError):
            pass  # the client has gone
        finally:
            conversations.discard(task)
            writer.close()

    try:
        server = await asyncio.start_server(converse, "127.0.0.1", port, limit=HEAD_LIMIT_BYTES)
    except OSError as error:
        raise BadInput(
            f"Port {port} cannot be used: {error.strerror}.", hint="Port 0 takes any free one."
        ) from None
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in conversations:
            task.cancel()
        await asyncio.gather(*conversations, return_exceptions=True)


async def _converse(
    handle: Handler, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """One exchange after another, until either side has had enough."""
    going_on = True
    while going_on:
        try:
            request = await _read(reader)
        except Refused as refused:  # where the next request begins is no longer known
            refused.answer.headers["Connection"] = "close"
            await deliver(refused.answer, reader, writer)
            return
        if request is None:
            return
        answer = await handle(request)
        if request.is_last:
            answer.headers["Connection"] = "close"
        going_on = await deliver(answer, reader, writer) and not request.is_last


async def _read(reader: asyncio.StreamReader) -> Request | None:
    """The next request, or None when the client has none. Raises Refused for one we cannot read."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as end:
        if end.partial:
            raise
        return None
    except asyncio.LimitOverrunError:
        raise Refused(431, f"The head is larger than {HEAD_LIMIT_BYTES} bytes.") from None
    request = _parse(head)
    if "transfer-encoding" in request.headers:
        raise Refused(501, "Send the body with a Content-Length.")
    length = request.headers.get("content-length", "0")
    if not length.isdecimal():
        raise Refused(400, "Content-Length is not a number.")
    if int(length) > BODY_LIMIT_BYTES:
        raise Refused(413, f"The body is larger than {BODY_LIMIT_BYTES} bytes.")
    request.body = await reader.readexactly(int(length))
    return request


def _parse(head: bytes) -> Request:
    first, *lines = head[:-4].decode("latin-1").split("\r\n")
    try:
        method, target, version = first.split(" ")
        headers = {}
        for line in lines:
            name, value = line.split(":", 1)
            headers[name.lower()] = value.strip()
        url = urlsplit(target)
    except ValueError:
        raise Refused(400, "This is not an HTTP request.") from None
    if version != "HTTP/1.1":
        raise Refused(505, "HTTP/1.1 only.")
    pairs = parse_qsl(url.query, keep_blank_values=True)
    return Request(method, unquote(url.path), dict(pairs), headers, pairs=pairs)
