"""The DataSync twin as a program: `python -m headrace.twin.datasync --port 0 --total 100000`.

Prints `listening http://127.0.0.1:PORT` once it answers, and serves until it is interrupted.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from headrace.twin.command_line import run_program
from headrace.twin.options import Options, parse
from headrace.twin.server import Handler, listening
from headrace.twin.service import DataSync

__all__ = ["DataSync", "Options", "main", "serving"]


@asynccontextmanager
async def serving(options: Options) -> AsyncIterator[str]:
    """A twin in this event loop: yields its base URL. Raises BadInput if the port is taken."""
    async with listening(DataSync(options).handle, options.port) as url:
        yield url


def main(arguments: Sequence[str] | None = None) -> int:
    """The command: returns its exit code. `arguments` None: this process's own."""

    def made() -> tuple[Handler, int, bool]:
        options = parse(arguments)
        return DataSync(options).handle, options.port, options.until_stdin_closes

    return run_program(made)


if __name__ == "__main__":
    sys.exit(main())
