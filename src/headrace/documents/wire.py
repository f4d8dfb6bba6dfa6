"""What parent and child say to each other: frames of a length (8 bytes, big-endian) and a body.

A request is two frames, what is asked and the file's bytes; an answer is one. Bytes go through the
pipe: 100 MB take 0.1 s, as long as through shared memory, and nothing has to be cleaned up.
"""

from __future__ import annotations

import struct
from typing import BinaryIO

import msgspec

from headrace.documents.reading import ParserOptions, Reading

_LENGTH = struct.Struct(">Q")


class Request(msgspec.Struct):
    """What is asked about the bytes in the next frame."""

    media_type: str
    options: ParserOptions


class Answer(msgspec.Struct):
    """A reading, or what is wrong with the file (`fault`) or with what was asked (`mistake`).

    `resident` is the child's memory afterwards, in bytes.
    """

    reading: Reading | None = None
    fault: tuple[str, str] | None = None
    mistake: tuple[str, str] | None = None
    resident: int = 0


def too_much_memory(options: ParserOptions) -> tuple[str, str]:
    """What is said of a file that needs more than its share."""
    return (
        f"The file takes more than {options.memory >> 20:,} MB of memory to read.",
        "Split it, or raise the limit on memory.",
    )


encode = msgspec.msgpack.Encoder().encode
decode_request = msgspec.msgpack.Decoder(Request).decode
decode_answer = msgspec.msgpack.Decoder(Answer).decode


def send(stream: BinaryIO, body: bytes) -> None:
    """Write one frame. Raises BrokenPipeError when the other side is gone."""
    stream.write(_LENGTH.pack(len(body)))
    stream.write(body)
    stream.flush()


def receive(stream: BinaryIO) -> bytes:
    """Read one frame. Raises EOFError when the other side is gone."""
    (length,) = _LENGTH.unpack(_exactly(stream, _LENGTH.size))
    return _exactly(stream, length)


def _exactly(stream: BinaryIO, size: int) -> bytes:
    body = stream.read(size)
    if len(body) < size:
        raise EOFError
    return body
