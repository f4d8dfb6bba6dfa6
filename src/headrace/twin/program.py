"""A twin as a program: says where it listens, and serves until it is interrupted."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Callable

from headrace.errors import HeadraceError
from headrace.twin.server import Handler, listening


def run(handle: Handler, port: int, *, until_stdin_closes: bool) -> None:
    """Serve in an event loop of its own; prints `listening URL` once it answers."""
    try:
        asyncio.run(_serve(handle, port, until_stdin_closes))
    except KeyboardInterrupt:
        pass  # Control-C is how it is meant to end


def ended(program: Callable[[], None]) -> int:
    """The exit code of a program; an error of ours is told in its own words."""
    try:
        program()
    except HeadraceError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


async def _serve(handle: Handler, port: int, until_stdin_closes: bool) -> None:
    async with listening(handle, port) as url:
        sys.stdout.write(f"listening {url}\n")
        sys.stdout.flush()
        if until_stdin_closes:
            threading.Thread(target=_end_with_stdin, daemon=True).start()
        await asyncio.Event().wait()


def _end_with_stdin() -> None:
    while sys.stdin.buffer.read(1_024):
        pass
    os._exit(0)  # nothing to save, and the event loop may be busy
