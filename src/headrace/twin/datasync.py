"""The DataSync twin as a program: `python -m headrace.twin.datasync --port 0 --total 100000`.

Prints `listening http://127.0.0.1:PORT` once it answers, and serves until it is interrupted.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from headrace.errors import HeadraceError
from headrace.twin.options import Options, parse
from headrace.twin.server import listening
from headrace.twin.service import DataSync

__all__ = ["DataSync", "Options", "main", "run", "serving"]


@asynccontextmanager
async def serving(options: Options) -> AsyncIterator[str]:
    """A twin in this event loop: yields its base URL. Raises BadInput if the port is taken."""
    async with listening(DataSync(options).handle, options.port) as url:
        yield url


def run(options: Options) -> None:
    """Serve until interrupted, in an event loop of its own."""
    try:
        asyncio.run(_serve(options))
    except KeyboardInterrupt:
        pass  # Control-C is how it is meant to end


async def _serve(options: Options) -> None:
    async with serving(options) as url:
        sys.stdout.write(f"listening {url}\n")
        sys.stdout.flush()
        if options.until_stdin_closes:
            threading.Thread(target=_end_with_stdin, daemon=True).start()
        await asyncio.Event().wait()


def _end_with_stdin() -> None:
    while sys.stdin.buffer.read(1_024):
        pass
    os._exit(0)  # nothing to save, and the event loop may be busy


def main(arguments: Sequence[str] | None = None) -> int:
    """The command: returns its exit code. `arguments` None: this process's own."""
    try:
        run(parse(arguments))
    except HeadraceError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
