"""What can go wrong, named by what to do about it.

    HeadraceError            every error a person may read: one sentence and one hint
    ├── Retry(after)         the world is busy or broken for now: try again
    ├── Skip(reason)         this record will never work: dead-letter it, go on
    ├── NeedsHuman(reason)   stop calling until a person has done something
    ├── Expired              the cursor is no longer good: walk again from the start
    └── BadInput             what the caller gave cannot be used

A provider or a stage raises one of the first four; anything else is a bug and fails loudly.
"""

from __future__ import annotations

from typing import Any


class HeadraceError(Exception):
    """One sentence saying what happened (`message`) and one saying what to do (`hint`).

    `exit_code` is what the command line ends with; the numbers follow sysexits(3).
    """

    exit_code = 70  # EX_SOFTWARE

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class Retry(HeadraceError):
    """Try again, not sooner than `after` seconds from now (None: the caller's own backoff).

    `failure` says whether that counts as a failed attempt, of which a job has five. A wait that the
    source asked for does not; where the time is our own choice, it does. With `doubles`, `after`
    is the first such wait, and each further one is twice as long.
    """

    exit_code = 75  # EX_TEMPFAIL

    def __init__(
        self,
        message: str,
        *,
        after: float | None = None,
        failure: bool | None = None,
        doubles: bool = False,
        hint: str = "",
    ) -> None:
        super().__init__(message, hint=hint)
        self.after = after
        self.doubles = doubles
        self.failure = after is None if failure is None else failure


class Skip(HeadraceError):
    """One record cannot be processed, and never will be as it stands."""

    exit_code = 65  # EX_DATAERR


class NeedsHuman(HeadraceError):
    """Nothing will work until a person acts; `reauth` says that signing in again is the act."""

    exit_code = 77  # EX_NOPERM

    def __init__(self, message: str, *, hint: str = "", reauth: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.reauth = reauth


class Expired(HeadraceError):
    """The source no longer accepts this cursor: the walk starts again, rows are deduplicated.

    `cursor` is where it starts; None, as ever but for walks from a watermark, is the beginning.
    """

    exit_code = 75

    def __init__(self, message: str, *, cursor: Any = None, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.cursor = cursor


class BadInput(HeadraceError):
    """A setting, argument, file or request that cannot be used as given."""

    exit_code = 64  # EX_USAGE


class Unavailable(HeadraceError):
    """Something this service itself stands on (PostgreSQL, disk) is not there."""

    exit_code = 69  # EX_UNAVAILABLE


class NotFound(HeadraceError):
    """What the request names is not there, or not the caller's: the answer is the same."""


class Unauthorized(HeadraceError):
    """The request carries no key, or one that opens nothing."""


class Refused(HeadraceError):
    """The request may not be made from where it comes."""


class Conflict(HeadraceError):
    """The request is well made, and what it names is in no state for it."""
