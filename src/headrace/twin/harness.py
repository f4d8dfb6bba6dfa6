"""Runs a twin in a process of its own, for tests, benchmarks and demos."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from headrace.errors import Unavailable
from headrace.twin.options import flags, options_from


@contextmanager
def run_twin(**options: Any) -> Iterator[str]:
    """Start the DataSync twin on a free port, yield its base URL, and kill it afterwards.

    Takes what `headrace.twin.options.Options` has, fault rules also as plain dicts:
    `run_twin(total=1_000, faults=[{"on": {"request": 2}, "do": {"kind": "reset"}}])`. It ends with
    this process even if that is killed. Raises BadInput for wrong options, Unavailable when the
    twin does not start.
    """
    checked = options_from({**options, "until_stdin_closes": True})
    command = [sys.executable, "-m", "headrace.twin.datasync", *flags(checked)]
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
