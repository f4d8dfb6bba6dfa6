"""Changes that tests ask for: at once, or right before the n-th call of a method."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from headrace.twin.faults import AtLeastOne
from headrace.twin.google.accounts import Account
from headrace.twin.google.calendar_changes import CalendarChange, change_calendar
from headrace.twin.google.mail_changes import MailChange, change_mail

Change = MailChange | CalendarChange


class At(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Right before the `n`-th call of a method, counted from when it was asked for."""

    call: str
    n: AtLeastOne = 1


class During(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Changes to an account (the first one, if none is named) in the middle of a walk."""

    at: At
    changes: tuple[Change, ...]
    account: str = ""


def change(account: Account, one: Change) -> list[str]:
    """Make it happen; returns the ids it was about. Raises Refused (404, 400) if it cannot."""
    if isinstance(one, MailChange):
        return change_mail(account.mailbox, one)
    return change_calendar(account.calendars, one)


@dataclass
class _Change:
    at: At
    account: Account
    changes: tuple[Change, ...]
    seen: int = 0


class Waiting:
    """Changes that wait for their call."""

    def __init__(self) -> None:
        self._waiting: list[_Change] = []

    def add(self, account: Account, during: During) -> None:
        """Ask for changes at a call to come."""
        self._waiting.append(_Change(during.at, account, during.changes))

    def before(self, call: str) -> None:
        """A call is about to be answered: what waits for it happens. Raises Refused."""
        for waiting in list(self._waiting):
            if waiting.at.call != call:
                continue
            waiting.seen += 1
            if waiting.seen == waiting.at.n:
                self._waiting.remove(waiting)
                for one in waiting.changes:
                    change(waiting.account, one)
