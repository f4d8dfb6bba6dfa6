"""The command line. A command is a function; a person's mistake is one sentence, no trace."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run a command and exit with its code: 0 done, 130 interrupted, else `HeadraceError`'s."""
    try:
        _run()
    except KeyboardInterrupt:
        sys.stderr.write(
            "Stopped.\n  What was landed is kept; the same command goes on from there.\n"
        )
        sys.exit(130)


def _run() -> None:
    import click
    import psycopg

    from headrace import telemetry
    from headrace.cli.app import app
    from headrace.cli.show import complain
    from headrace.errors import HeadraceError
    from headrace.store.database import unavailable

    telemetry.quiet()
    try:
        sys.exit(app(standalone_mode=False) or 0)
    except HeadraceError as error:
        if wants_traceback():
            raise
        complain(error.message, error.hint)
        sys.exit(error.exit_code)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except psycopg.OperationalError as error:
        if wants_traceback():
            raise
        gone = unavailable(error)
        complain(gone.message, gone.hint)
        sys.exit(gone.exit_code)
    except BrokenPipeError:
        # Somebody piped us into `head`: not an error, and nothing more can be printed.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception as bug:
        if wants_traceback():
            raise
        complain(
            f"This is a bug in Headrace: {type(bug).__name__}: {bug}",
            "Run it again with --traceback and report what it prints; what was landed is kept.",
        )
        sys.exit(70)


def wants_traceback() -> bool:
    """Whether the person asked for tracebacks, anywhere on the line."""
    return "--traceback" in sys.argv
