"""The walk of an account that is kept in step: everything listed once, then what has changed.

A provider says what one page of either brings. That a listing is a census, where a walk goes on,
and how one begins again that has lost its way is the same for all, and said here.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, Generic, Self, TypeVar

import msgspec

from headrace.account import Account
from headrace.errors import Expired
from headrace.provider import JSON, BadRecord, Census, Page, Record


class Place(msgspec.Struct, omit_defaults=True):
    """How far a walk is: what a checkpoint keeps of it. All fields have defaults, and with all of
    them it is the beginning."""

    @classmethod
    def read(cls, cursor: JSON) -> Self:
        """The place that a checkpoint has kept. Raises Expired for one of another form."""
        try:
            return msgspec.convert(cursor or {}, cls)
        except msgspec.ValidationError:
            raise Expired("The cursor was written by another version of Headrace.") from None

    def cursor(self) -> JSON:
        """As a checkpoint keeps it; None for the beginning."""
        kept: dict[str, Any] = msgspec.to_builtins(self)
        return kept or None

    def begin_here(self, why: str) -> Expired:
        """The error that makes a walk begin again, at this place."""
        return Expired(why, cursor=self.cursor())


class Tokens(Place):
    """A place in a stream by the API's own tokens: of the `page` that comes next, and of the moment
    `since` when changes are asked for, which is known once everything has been listed."""

    page: str = ""
    since: str = ""

    @property
    def is_listing(self) -> bool:
        """Whether it is everything that is asked for."""
        return not self.since

    @property
    def is_first(self) -> bool:
        """Whether nothing has been asked for yet."""
        return not self.since and not self.page


At = TypeVar("At", bound=Tokens)


class Told(msgspec.Struct, Generic[At]):
    """What one page brought, and the place `at` where its walk goes on; with `more` false the walk
    is complete, and that is where the next begins.

    `broken` says of a listing that it ends here and was not everything: nothing is taken for gone.
    The rest is as in `Page`, and `also` as in `Census`.
    """

    records: Sequence[Record]
    at: At
    more: bool
    bad: Sequence[BadRecord] = ()
    also: Sequence[str] = ()
    left: int | None = None
    notes: dict[str, str] = {}
    broken: bool = False


class InStep(Account, Generic[At]):
    """An account whose streams are listed once, and then kept in step by what has changed."""

    place: type[At]
    """What its places are: `Tokens`, or more where more has to be remembered."""
    pause: float = 0.0
    """Seconds from the beginning of one page to that of the next, at the least."""

    @abstractmethod
    async def listed(self, stream: str, at: At) -> Told[At]:
        """A page of everything that there is. Raises like `fetch`."""

    @abstractmethod
    async def changed(self, stream: str, at: At) -> Told[At]:
        """A page of what has changed, tombstones included. Raises like `fetch`."""

    async def fetch(self, stream: str, slice_: str, cursor: JSON) -> Page:  # noqa: ARG002 - one
        """The page at a place. Raises Retry, NeedsHuman, and Expired for one that is lost."""
        at = self.place.read(cursor)
        await self.pace(self.pause)
        told = await (self.listed if at.is_listing else self.changed)(stream, at)
        census = None
        if at.is_listing and not told.broken:
            last = not (told.more and told.at.is_listing)
            census = Census(first=at.is_first, last=last, also=told.also)
        return Page(
            told.records,
            told.at.cursor(),
            told.more,
            bad=told.bad,
            notes=told.notes,
            left=told.left,
            census=census,
        )
