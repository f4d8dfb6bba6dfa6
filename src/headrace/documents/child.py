"""The process that reads files: `python -m headrace.documents.child PARENT`.

It answers one request after another on its first standard output, which it takes away from
everybody else: what a library prints goes to standard error.
"""

from __future__ import annotations

import os
import sys
from typing import BinaryIO

from headrace.documents import limits, wire
from headrace.errors import BadInput, Skip

_STDIN, _STDOUT, _STDERR = 0, 1, 2


def main() -> None:
    """Read files until the parent hangs up."""
    limits.end_with(int(sys.argv[1]))
    requests, answers = take_the_pipes()
    limits.limit_for_good()
    _load()
    while True:
        try:
            request = wire.decode_request(wire.receive(requests))
            content = wire.receive(requests)
        except EOFError:
            return
        try:
            answer = _answer(request, content)
        finally:
            limits.lift_memory_limit()
        del content
        answer.resident = limits.resident()
        wire.send(answers, wire.encode(answer))


def _load() -> None:
    """Load the libraries before the first file, so that they do not count as its memory."""
    import kreuzberg  # noqa: F401
    import pypdfium2  # type: ignore[import-untyped]  # noqa: F401

    import headrace.documents.readers  # noqa: F401


def take_the_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Requests and answers; standard input and output are now nothing and standard error."""
    requests = os.fdopen(os.dup(_STDIN), "rb")
    answers = os.fdopen(os.dup(_STDOUT), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, _STDIN)
    os.close(nothing)
    os.dup2(_STDERR, _STDOUT)
    return requests, answers


def _answer(request: wire.Request, content: bytes) -> wire.Answer:
    from headrace.documents.readers import read

    options = request.options
    limits.limit_one_file(options.memory, options.seconds)
    try:
        return wire.Answer(reading=read(request.media_type, content, options))
    except Skip as skip:
        return wire.Answer(fault=(skip.message, skip.hint))
    except BadInput as mistake:
        return wire.Answer(mistake=(mistake.message, mistake.hint))
    except MemoryError:
        return wire.Answer(fault=wire.too_much_memory(options))
    except RecursionError:
        return wire.Answer(
            fault=("The file is nested too deep.", "Save it anew in the program that wrote it.")
        )
    except Exception as error:  # noqa: BLE001  # whatever a parser raises is about the file
        return wire.Answer(
            fault=(
                f"The parser failed on the file ({type(error).__name__}).",
                "Save it anew, or as a PDF, in the program that wrote it.",
            )
        )


if __name__ == "__main__":
    main()
