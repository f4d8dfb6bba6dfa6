"""One account: what it holds, and how its owner answers when a client asks for consent."""

from __future__ import annotations

from functools import cached_property
from hashlib import blake2b

from headrace.twin.google.calendars import Calendars
from headrace.twin.google.clock import Clock
from headrace.twin.google.mailbox import Mailbox
from headrace.twin.google.options import Options
from headrace.twin.message import Refused


class Account:
    """Mailbox and calendars are made when they are first asked for."""

    def __init__(self, email: str, options: Options, clock: Clock) -> None:
        self.email = email
        self.sub = str(10**20 + int(blake2b(email.encode(), digest_size=8).hexdigest(), 16))
        self.ticked: frozenset[str] | None = None
        """The scopes its owner allows when asked; None: all of them."""
        self.denies = False
        self.has_consented = False
        self.closed = ""
        """Why its APIs are refused: `suspended`, `policy` or "" for not at all."""
        self._options = options
        self._clock = clock

    @cached_property
    def mailbox(self) -> Mailbox:
        """What Gmail has of it."""
        options = self._options
        return Mailbox(
            self.email,
            self._clock,
            seed=options.seed,
            messages=options.messages,
            history_start=options.history_start,
        )

    @cached_property
    def calendars(self) -> Calendars:
        """What Calendar has of it."""
        options = self._options
        return Calendars(self.email, self._clock, seed=options.seed, events=options.events)


class Accounts:
    """The accounts by their addresses; the first one is meant where none is named."""

    def __init__(self, options: Options, clock: Clock) -> None:
        self._all = {email.lower(): Account(email, options, clock) for email in options.addresses}

    def get(self, email: str = "") -> Account | None:
        """The account of an address, whatever its case; the first one for ""."""
        if not email:
            return next(iter(self._all.values()))
        return self._all.get(email.lower())

    def need(self, email: str = "") -> Account:
        """The same for tests. Raises Refused (404)."""
        account = self.get(email)
        if account is None:
            raise Refused(404, f"There is no account {email} here.")
        return account
