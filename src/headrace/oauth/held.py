"""Where a grant's tokens are kept: what the keeper of tokens needs of such a place."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

import msgspec

from headrace.oauth.endpoint import Tokens
from headrace.store.database import Connection
from headrace.store.grants import GrantRow


class Held(msgspec.Struct):
    """A grant's tokens as they are now. `seconds` is how long the access token is good, and
    `lifetime` how long it was when it was new, None if nobody knows; `changed` is when their place
    says that they were written, where it says so."""

    access: str
    refresh: str | None = None
    seconds: float | None = None
    lifetime: float | None = None
    changed: datetime | None = None

    def __repr__(self) -> str:
        return "Held(...)"


class Place(Protocol):
    """Keeps the tokens of grants. All are called in a transaction of ours that may be rolled back,
    and where anything is written, in one that holds the grant's row."""

    again: str
    """What the owner of an account has to do when its consent has ended."""

    renewable: str
    """What has to be done for a consent that can be renewed, where no refresh token came of it."""

    def read(self, connection: Connection, row: GrantRow) -> Held:
        """The tokens. Raises NeedsHuman where there are none any more."""

    def write(self, connection: Connection, row: GrantRow, held: Held, made: Tokens) -> Held:
        """Keep what the issuer gave for what was `held`. Returns what is there from now on, which
        is somebody else's where they came first."""

    def newer(self, connection: Connection, row: GrantRow, held: Held) -> Held | None:
        """What somebody else has written since `held` was read; None where nobody has."""
