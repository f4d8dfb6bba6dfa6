"""One message that Google cannot give must not keep all the others: it is put aside, and asked for
again at each sync. Where Google gives none, that is an outage, which ends: nothing is put aside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from headrace.errors import Retry
from headrace.google.letters import Letter
from headrace.provider import BadRecord

_MOST = 5
"""Messages put aside of one chunk, and of all: more are no matter of single messages."""
_MOST_OF_ALL = 100


class InTrouble(Retry):
    """Google answered 5xx when it was asked for a message."""


class Letters(msgspec.Struct):
    """Messages by their ids, None for one that is gone; what is none; and those that Google owes
    us, with what it said instead."""

    by_id: dict[str, Letter | None] = {}
    bad: list[BadRecord] = []
    owed: dict[str, InTrouble] = {}

    @property
    def answered(self) -> set[str | None]:
        """The ids of those that it does not owe us."""
        return {*self.by_id, *(one.source_id for one in self.bad)}

    def put_aside(self, before: Sequence[str]) -> list[BadRecord]:
        """What becomes a dead letter: not what was owed `before`, which is one already."""
        return self.bad + [
            BadRecord(
                b"",
                f"Gmail does not give this message: {error.message}",
                "It is asked for again at each sync; once it is here, this can be dropped.",
                source_id=name,
            )
            for name, error in self.owed.items()
            if name not in before
        ]


class Mails(Protocol):
    """Where messages are asked for."""

    async def letter(self, name: str) -> Letter | BadRecord | None:
        """One message. Raises InTrouble for a 5xx, after all attempts."""

    async def gives_others(self, name: str) -> bool:
        """Whether another message can be fetched. Raises like `letter`."""


class Patience:
    """The patience with one chunk of messages; `owed` are those that were put aside before."""

    def __init__(self, mails: Mails, owed: Sequence[str]) -> None:
        self._mails = mails
        self._owed = owed
        self._came = False
        self._failed = 0

    async def letter(self, name: str) -> Letter | BadRecord | InTrouble | None:
        """A message, or the trouble with it alone. Raises the trouble that is with everything."""
        try:
            found = await self._mails.letter(name)
        except InTrouble as error:
            if name not in self._owed and not await self._is_alone(name, error):
                raise
            return error
        self._came = True
        return found

    async def _is_alone(self, name: str, error: InTrouble) -> bool:
        """Whether it is this message, and not Google, that is in trouble."""
        self._failed += 1
        if self._failed > _MOST or self._failed + len(self._owed) > _MOST_OF_ALL:
            return False
        # A wait that was asked for is kept to.
        if error.after is None and not self._came:
            self._came = await self._mails.gives_others(name)
        return error.after is None and self._came
