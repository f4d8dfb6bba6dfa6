"""How an answer leaves: at once and whole, or the way a fault says."""

from __future__ import annotations

import asyncio
import socket
import struct

from headrace.twin.faults import Drip, Hang, Reset, Truncate
from headrace.twin.message import Answer

_DISCARD_BYTES = 65_536


async def deliver(
    answer: Answer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> bool:
    """Send the answer. False: the connection can carry no other exchange after it.

    Raises OSError when the client has gone.
    """
    match answer.delivery:
        case None:
            writer.write(answer.whole())
            await writer.drain()
            return True
        case Hang():
            # Until the client gives up; what it sends meanwhile is read and dropped.
            while await reader.read(_DISCARD_BYTES):
                pass
            return False
        case Reset(keep):
            await _reset(answer, keep, writer)
            return False
        case Truncate(keep, how):
            return await _truncate(answer, keep, how, writer)
        case Drip(size, every_ms):
            await _drip(answer, size, every_ms, writer)
            return True


async def _reset(answer: Answer, keep: float, writer: asyncio.StreamWriter) -> None:
    if keep:
        head = answer.head(f"Content-Length: {answer.length}")
        writer.write(head + _share(answer, keep))
        await writer.drain()
    connection: socket.socket = writer.get_extra_info("socket")
    # A close without lingering sends RST where an ordinary one sends FIN.
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def _truncate(answer: Answer, keep: float, how: str, writer: asyncio.StreamWriter) -> bool:
    part = _share(answer, keep)
    if how == "chunk":
        framing, part = "Transfer-Encoding: chunked", b"%x\r\n%b\r\nno size\r\n" % (len(part), part)
    else:
        framing = f"Content-Length: {len(part) if how == 'short' else answer.length}"
    writer.write(answer.head(framing) + part)
    await writer.drain()
    return how == "short"


async def _drip(answer: Answer, size: int, every_ms: int, writer: asyncio.StreamWriter) -> None:
    body = b"".join(answer.parts)
    writer.write(answer.head(f"Content-Length: {len(body)}"))
    for start in range(0, len(body), size):
        await asyncio.sleep(every_ms / 1_000)
        writer.write(body[start : start + size])
        await writer.drain()


def _share(answer: Answer, keep: float) -> bytes:
    return b"".join(answer.parts)[: int(answer.length * keep)]
