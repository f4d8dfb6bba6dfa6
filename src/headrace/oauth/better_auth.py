"""Tokens that Better Auth keeps, for an application whose users have signed in with it.

Both refresh the same tokens. Better Auth takes no lock and looks at nothing when it writes, so
Headrace does the yielding: it writes only over what it has read, and what is there already is used.
"""

from __future__ import annotations

import time

from headrace.errors import NeedsHuman
from headrace.logs.secrets import hide
from headrace.oauth.better_secrets import Form, Secrets
from headrace.oauth.endpoint import Tokens
from headrace.oauth.held import Held
from headrace.settings import Settings
from headrace.store.better_auth import Accounts
from headrace.store.database import Connection
from headrace.store.grants import GrantRow

PATIENCE = 3.0
"""Seconds in which Better Auth has written what it got for a token that it has spent before us."""

LASTS = 3600.0
"""Seconds that are written for an access token of which the issuer does not say how long it is
good. Without a time, Better Auth would use it for ever."""

_LOOK_SECONDS = 0.2


class Read(Held):
    """Tokens as they were read, and how they are kept. `was` is the refresh token's column."""

    was: str | None = None
    access_form: Form = Form()
    refresh_form: Form = Form()


class BetterAuth:
    """The place of grants whose `external_id` is a row of Better Auth's table."""

    again = "Have the account's owner sign in to the application with it again."
    renewable = (
        "Have the application ask Google for offline access (in Better Auth: accessType 'offline'"
        " and prompt 'select_account consent'), and its users sign in again."
    )

    def __init__(self, settings: Settings) -> None:
        if not settings.better_auth:
            raise NeedsHuman(
                "The account's tokens are kept by Better Auth, which is switched off here.",
                hint="Set HEADRACE_BETTER_AUTH=true.",
            )
        self._accounts = Accounts(settings)
        self._secrets = Secrets(settings)

    def read(self, connection: Connection, row: GrantRow) -> Read:
        """The tokens of the account's row, opened."""
        found = self._accounts.one(connection, row["external_id"])
        if found is None:
            raise NeedsHuman(
                f"The application no longer has the account {row['account']}.",
                hint=self.again,
                reauth=True,
            )
        refresh, refresh_form = self._secrets.open(found["refresh"] or "")
        access, access_form = self._secrets.open(found["access"] or "")
        hide(access, refresh)
        return Read(
            access=access,
            refresh=refresh or None,
            seconds=found["seconds"],
            changed=found["changed"],
            was=found["refresh"],
            access_form=access_form if access else refresh_form,
            refresh_form=refresh_form,
        )

    def write(self, connection: Connection, row: GrantRow, held: Held, made: Tokens) -> Held:
        """Write the tokens, kept as those before were; where others are there by now, use them."""
        assert isinstance(held, Read), "it came from here"
        refresh = held.was
        if made.refresh is not None and made.refresh != held.refresh:
            refresh = self._secrets.seal(made.refresh, held.refresh_form)
        swapped = self._accounts.swap(
            connection,
            row["external_id"],
            held.was,
            access=self._secrets.seal(made.access, held.access_form),
            refresh=refresh,
            seconds=made.seconds or LASTS,
        )
        if not swapped:
            return self.read(connection, row)
        return Held(made.access, made.refresh or held.refresh, made.seconds, made.seconds)

    def newer(self, connection: Connection, row: GrantRow, held: Held) -> Held | None:
        """What Better Auth has written over the token that the issuer refused. It may have spent
        that a moment ago and be about to write: it is given a moment."""
        until = time.monotonic() + PATIENCE
        while True:
            now = self.read(connection, row)
            if (now.refresh, now.access) != (held.refresh, held.access):
                return now
            if time.monotonic() >= until:
                return None
            time.sleep(_LOOK_SECONDS)
