"""The command line. A command is a function; a person's mistake is one sentence, no trace."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

TRACEBACK = "--traceback"


class Stop(BaseException):
    """Somebody asks this process to end, with Control-C or another signal, whose number it holds.
    Everything open is closed: PostgreSQL in the data folder must not be left behind.

    Not KeyboardInterrupt, which Typer would turn into an exit code without a word.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def main() -> None:
    """Run a command and exit with its code: 0 done, 130 interrupted, 143 terminated, else
    `HeadraceError`'s."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)  # not every system has each
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:  # as with nohup
            signal.signal(number, _stop)
    # A name on disk may hold bytes that are no text; it is shown all the same.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    _end(_run(sys.argv[1:]))


def _end(code: int) -> None:
    """A thread that still runs when an engine has ended cannot be stopped, and Python would wait
    for it: for as long as a PostgreSQL is away, say. What was to be closed is closed."""
    leaving = sys.modules.get("headrace.engine.leaving")
    if leaving is not None and leaving.been():
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def _stop(number: int, _frame: Any) -> None:
    raise Stop(number)


def _run(arguments: Sequence[str]) -> int:
    arguments, traceback_wanted = _take_traceback(arguments)
    try:
        with signals_held():
            from headrace import telemetry
            from headrace.cli.app import app

        telemetry.quiet(bugs=traceback_wanted)
        code = app(arguments, standalone_mode=False, prog_name="headrace")
        sys.stdout.flush()
        return code or 0
    except BrokenPipeError:
        # Somebody piped us into `head`: not an error, and nothing more can be printed.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (Exception, Stop) as error:  # noqa: BLE001 - each kind has its sentence
        if traceback_wanted:
            import traceback

            traceback.print_exc()
        return _explain(error)


@contextmanager
def signals_held() -> Iterator[None]:
    """Let signals wait: one that interrupts an import leaves half a module behind, which the
    sentence about it may need."""
    came: list[int] = []
    held = [signal.SIGINT, signal.SIGTERM]
    before = [signal.signal(one, lambda number, _: came.append(number)) for one in held]
    try:
        yield
    finally:
        for one, handler in zip(held, before, strict=True):
            signal.signal(one, handler)
    for number in came:
        signal.raise_signal(number)


def _take_traceback(arguments: Sequence[str]) -> tuple[list[str], bool]:
    """The arguments without --traceback, which may stand anywhere: it is added when something has
    gone wrong, and then the end of the line is where people add it."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    kept = [one for one in arguments[:end] if one != TRACEBACK]
    return [*kept, *arguments[end:]], len(kept) < end


def _explain(error: BaseException) -> int:
    """Say what happened and what to do, in a sentence each. Returns the exit code."""
    from headrace.cli.mistakes import explained
    from headrace.cli.show import complain

    said = explained(error)
    if said.message:
        complain(said.message, said.hint)
    return said.exit_code
