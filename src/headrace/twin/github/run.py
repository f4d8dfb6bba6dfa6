"""The GitHub twin as a program, in the caller's event loop, and in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from headrace.errors import Unavailable
from headrace.twin.command_line import run_program
from headrace.twin.github.options import Options, flags, options_from, parse
from headrace.twin.github.service import GitHub
from headrace.twin.server import Handler, listening


@asynccontextmanager
async def serving(options: Options) -> AsyncIterator[str]:
    """A twin in this event loop: yields its base URL. Raises BadInput if the port is taken."""
    async with listening(GitHub(options).handle, options.port) as url:
        yield url


def main(arguments: Sequence[str] | None = None) -> int:
    """The command: returns its exit code. `arguments` None: this process's own."""

    def made() -> tuple[Handler, int, bool]:
        options = parse(arguments)
        return GitHub(options).handle, options.port, options.until_stdin_closes

    return run_program(made)


@contextmanager
def run_github(**options: Any) -> Iterator[str]:
    """Start the twin on a free port, yield its base URL, and kill it afterwards.

    Takes what `headrace.twin.github.options.Options` has. It ends with this process even if that is
    killed. Raises BadInput for wrong options, Unavailable when the twin does not start.
    """
    checked = options_from({**options, "until_stdin_closes": True})
    command = [sys.executable, "-m", "headrace.twin.github", *flags(checked)]
    with subprocess.Popen(  # noqa: S603 - our own module and checked options
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            if not line.startswith("listening "):
                raise Unavailable("The twin did not start.", hint="Its own message stands above.")
            yield line.removeprefix("listening ").strip()
        finally:
            process.kill()
