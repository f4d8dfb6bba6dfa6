"""The DataSync twin as a program: `python -m headrace.twin.datasync --port 0 --total 100000`.

Prints `listening http://127.0.0.1:PORT` once it answers, and serves until it is interrupted.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from headrace.twin import program
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
    end_with = options.until_stdin_closes
    program.run(DataSync(options).handle, options.port, until_stdin_closes=end_with)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command: returns its exit code. `arguments` None: this process's own."""
    return program.ended(lambda: run(parse(arguments)))


if __name__ == "__main__":
    sys.exit(main())
