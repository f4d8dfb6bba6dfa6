"""The Google twin as a program: `python -m headrace.twin.google --port 0`.

Prints `listening http://127.0.0.1:PORT` once it answers, and serves until it is interrupted.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from headrace.twin import program
from headrace.twin.google.options import parse
from headrace.twin.google.service import Google


def main(arguments: Sequence[str] | None = None) -> int:
    """The command: returns its exit code. `arguments` None: this process's own."""

    def run() -> None:
        options = parse(arguments)
        end_with = options.until_stdin_closes
        program.run(Google(options).handle, options.port, until_stdin_closes=end_with)

    return program.ended(run)


if __name__ == "__main__":
    sys.exit(main())
