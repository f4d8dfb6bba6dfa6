"""The GitHub twin as a program, and in the caller's event loop."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from headrace.twin import program
from headrace.twin.github.options import Options, parse
from headrace.twin.github.service import GitHub
from headrace.twin.server import listening


@asynccontextmanager
async def serving(options: Options) -> AsyncIterator[str]:
    """A twin in this event loop: yields its base URL. Raises BadInput if the port is taken."""
    async with listening(GitHub(options).handle, options.port) as url:
        yield url


def main(arguments: Sequence[str] | None = None) -> int:
    """The command: returns its exit code. `arguments` None: this process's own."""

    def run() -> None:
        options = parse(arguments)
        end_with = options.until_stdin_closes
        program.run(GitHub(options).handle, options.port, until_stdin_closes=end_with)

    return program.ended(run)
