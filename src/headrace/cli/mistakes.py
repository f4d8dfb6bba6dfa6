"""What a person reads when a command fails, whatever it was that failed."""

from __future__ import annotations

import errno

import psycopg
from typer import TyperException

from headrace.cli import Stop
from headrace.errors import BadInput, HeadraceError, Unavailable
from headrace.store.database import unavailable


def explained(error: BaseException) -> HeadraceError:
    """The sentence, the hint and the exit code for anything that a command can raise."""
    match error:
        case HeadraceError():
            return error
        case Stop():
            return stopped(error)
        case TyperException():
            return _misused(error)
        case psycopg.OperationalError():
            return unavailable(error)
        case OSError(errno=errno.ENOSPC | errno.EDQUOT):
            where = f" for {error.filename}" if error.filename else ""
            return Unavailable(
                f"There is no space left on the disk{where}.",
                hint="Free some space and run the same command again: it goes on where it stopped.",
            )
    orig = getattr(error, "orig", None)  # SQLAlchemy's, around the driver's own
    if isinstance(orig, psycopg.OperationalError):
        return unavailable(orig)
    return HeadraceError(
        f"This is a bug in Headrace: {type(error).__name__}: {error}",
        hint="Run it again with --traceback and report what it prints; what was landed is kept.",
    )


def stopped(
    stop: Stop, message: str = "Stopped.", hint: str = "Nothing that was landed is lost."
) -> HeadraceError:
    """The end that somebody asked for: 128 and the signal's number, as shells have it."""
    said = HeadraceError(message, hint=hint)
    said.exit_code = 128 + stop.number
    return said


def _misused(error: TyperException) -> HeadraceError:
    """A command line that cannot be used as it was typed."""
    # Typer brings a copy of Click, under a name that is not to be relied on: so no isinstance.
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "headrace"
    hint = f"`{command} --help` shows how it is used."
    near = getattr(error, "possibilities", None)
    message = str(getattr(error, "message", error)) if near else _told(error)
    if not message:
        return BadInput("")  # no command was named, and the help has been shown
    message, did, meant = message.partition("Did you mean ")
    if near or did:
        hint = f"Did you mean {' or '.join(sorted(near)) if near else meant.rstrip('?')}?"
    return BadInput(f"{message.strip().rstrip('.')}.", hint=hint)


def _told(error: TyperException) -> str:
    told = error.format_message() if hasattr(error, "format_message") else str(error)
    return " ".join(told.replace("Value error, ", "").split())
