"""Runs a twin in a process of its own, for tests, benchmarks and demos."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from headrace.errors import Unavailable
from headrace.twin.flags import flags
from headrace.twin.options import options_from


def run_twin(**options: Any) -> AbstractContextManager[str]:
    """Start the DataSync twin on a free port, yield its base URL, and kill it afterwards.

    Takes what `headrace.twin.options.Options` has, fault rules also as plain dicts:
    `run_twin(total=1_000, faults=[{"on": {"request": 2}, "do": {"kind": "reset"}}])`. It ends with
    this process even if that is killed. Raises BadInput for wrong options, Unavailable when the
    twin does not start.
    """
    checked = options_from({**options, "until_stdin_closes": True})
    return running("headrace.twin.datasync", flags(checked))


def run_google(**options: Any) -> AbstractContextManager[str]:
    """The same for the Google twin, with what `headrace.twin.google.options.Options` has."""
    from headrace.twin.google import options as google

    checked = google.options_from({**options, "until_stdin_closes": True})
    return running("headrace.twin.google", flags(checked))


def run_github(**options: Any) -> AbstractContextManager[str]:
    """The same for the GitHub twin, with what `headrace.twin.github.options.Options` has."""
    from headrace.twin.github import options as github

    checked = github.options_from({**options, "until_stdin_closes": True})
    return running("headrace.twin.github", flags(checked))


@contextmanager
def running(module: str, arguments: Sequence[str]) -> Iterator[str]:
    """Run a twin's module as a program, yield its base URL, and kill it afterwards.

    Raises Unavailable when it does not start.
    """
    command = [sys.executable, "-m", module, *arguments]
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
