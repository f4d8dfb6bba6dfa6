"""The source contract: a provider turns one cursor into one page, and keeps no state.

A provider is one file in `headrace/providers/` (or an entry point `headrace.providers` of another
package) holding one subclass of `Provider`. Nothing else needs an edit: the folder is the registry.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeAlias

import msgspec
from pydantic import BaseModel

from headrace.errors import BadInput, Skip

JSON: TypeAlias = dict[str, Any] | list[Any] | str | int | float | bool | None
"""Any JSON value. A cursor is one: opaque to everything but its provider."""

DOCUMENT = "application/x-document"
"""The content of a stream whose records are files of any type."""


class Record(msgspec.Struct, gc=False):
    """One source record, as received.

    `payload` is the bytes the source sent, verbatim: they are the truth that every later table is
    rebuilt from. `occurred_at` is timezone-aware, or None where the source does not say. `mark` is
    what the source says of the record without sending it (an ETag, a size and a time): kept, and
    given back by `Provider.known`. `gone` says that the source has deleted it; it has no payload.
    `fingerprint` tells one version from another where the payload does not: some sources send the
    same record in other bytes each time.
    """

    source_id: str
    payload: bytes
    occurred_at: datetime | None = None
    mark: str | None = None
    gone: bool = False
    fingerprint: bytes | None = None


class BadRecord(msgspec.Struct, gc=False):
    """One thing the source sent that cannot be a `Record`: it becomes a dead letter, alone."""

    raw: bytes
    reason: str
    hint: str = ""
    source_id: str | None = None


class Census(msgspec.Struct):
    """A page's part in a listing of everything that a stream has.

    The listing begins with the page that is `first` and ends with the one that is `last`; whatever
    was known before and was on none of its pages is gone, and then becomes a tombstone. `also` are
    the ids of records that are there and are not sent.
    """

    first: bool = False
    last: bool = False
    also: Sequence[str] = ()


class Page(msgspec.Struct):
    """What one fetch returned.

    `cursor` is what to ask for next while `more` is true. With `more` false the walk is complete,
    and `cursor` is where the next run begins (None: from the start again).
    `notes` are facts about the exchange worth a log line, such as the envelope that was seen.
    `unchanged` counts records that the source has, and that are known by their marks to be as they
    were: they are not sent.
    `left` is about how many records are still to come, where that can be told: only progress
    displays use it, and the first page of a walk is enough for them.
    `census` says that the page belongs to a listing of everything; such a stream has one slice.
    """

    records: Sequence[Record]
    cursor: JSON
    more: bool
    bad: Sequence[BadRecord] = ()
    notes: dict[str, str] = {}
    left: int | None = None
    unchanged: int = 0
    census: Census | None = None


class StreamPlan(msgspec.Struct, frozen=True):
    """One stream a connection offers. `content` is the media type of its records' payloads.

    `slices` names the parts that may be walked side by side, each with its own checkpoint; a
    stream that cannot be cut has the single slice "". `total` is the number of records expected,
    where the source says: only progress displays use it.
    """

    name: str
    content: str = "application/json"
    slices: tuple[str, ...] = ("",)
    total: int | None = None


class Known(Protocol):
    """Looks up what has been landed of a stream."""

    async def __call__(self, stream: str, after: str, limit: int) -> list[tuple[str, str]]:
        """Up to `limit` ids that are greater than `after`, with their marks, in the order of their
        UTF-8 bytes."""


class Owner(msgspec.Struct, frozen=True):
    """Whose account it is: the name that the provider knows it by, and every mail address that its
    owner writes from, lower-cased."""

    account: str
    addresses: tuple[str, ...] = ()


class Estimate(msgspec.Struct, frozen=True):
    """What a first sync would take: records, units of the account's allowance, minutes."""

    records: int
    units: int
    minutes: float


class Attachment(msgspec.Struct, frozen=True):
    """What is attached to a record. The name and the type are its sender's words."""

    name: str
    media_type: str
    content: bytes


class Standing(msgspec.Struct, frozen=True):
    """What a source says of an account's allowance: of so many requests, so many are left for so
    many seconds."""

    limit: float
    remaining: float
    seconds: float


Token = Callable[[str | None], Awaitable[str]]
"""Gives the account's access token; asked with one that was just refused, another one."""

Spend = Callable[[int], Awaitable[None]]
"""Waits until so many units of the account's allowance may be used. Raises Retry where that would
take long."""

HoldOff = Callable[[float], Awaitable[None]]
"""Has nobody use the account's allowance for so many seconds: the source has refused."""

Heard = Callable[[Standing | None, bool], Awaitable[None]]
"""Is told what an answer says of the allowance, if it does, and whether it refuses for the rate of
requests though it does not say that nothing is left."""


async def _free(units: int) -> None:  # noqa: ARG001 - whoever sets none has no limit
    return


async def _alone(seconds: float) -> None:  # noqa: ARG001 - whoever sets none shares no limit
    return


async def _deaf(said: Standing | None, refused: bool) -> None:  # noqa: ARG001
    return


async def _nothing(stream: str, after: str, limit: int) -> list[tuple[str, str]]:  # noqa: ARG001
    return []


class Provider(ABC):
    """One kind of source. Made once per run from its connection's config; used by one event loop.

    `fetch` raises `Retry`, `NeedsHuman` or `Expired`; records that cannot be used go into
    `Page.bad`. Anything else that it raises counts as a bug and fails the job.
    """

    name: ClassVar[str]
    """The word people write: `rest`, `mailbox`, `gmail`."""
    kind: ClassVar[str]
    """The kind of its sync job, such as `rest_sync` (REQUIREMENTS X3)."""
    aliases: ClassVar[tuple[str, ...]] = ()
    """Other kinds accepted on intake for the same job."""
    items_per_run: int | None = None
    """Records after which a run ends, at the end of a page; the next goes on there (A1.6, A1.8).
    None: a run ends when it has everything. A class sets it, or an instance by its config."""
    records_per_commit: ClassVar[int | None] = None
    """The most records that one commit brings, so that large ones are spread over many workers.
    None: as many as are fast to write."""
    settles: ClassVar[bool] = False
    """Whether its jobs end only when the stages are through with what they have landed."""
    ordered: ClassVar[bool] = False
    """Whether the marks of a record's versions sort as the versions do, by their UTF-8 bytes: then
    one with a lesser mark than is known is an older copy, and changes nothing (rules C11, R3)."""
    issuer: ClassVar[str | None] = None
    """Who gives the tokens of its accounts: `google`, `github`. None: it needs none."""
    scopes: ClassVar[tuple[str, ...]] = ()
    """What the owner of an account is asked to consent to."""
    units_per_minute: int | None = None
    """An account's allowance, in the provider's own units, where it has one (rule G11)."""
    local: ClassVar[bool] = False
    """Whether it reads this machine's own files: then only the operator may connect it."""
    Config: ClassVar[type[BaseModel]]
    """What a connection of this provider is configured with; unknown keys are refused."""
    trusted: bool = False
    """Whether an operator wrote the config: only then may it name environment variables. Whoever
    makes the provider sets this and `private_hosts`; an API caller's config gets neither."""
    private_hosts: bool = False
    """Whether the source may be at a private or loopback address, or speak plain http."""

    roots: Sequence[Path] | None = ()
    """Folders of this machine that it may read in; None: any. An API caller's may read in those
    that the operator has opened to callers."""
    base_url: str = ""
    """Where its API is, as the settings say."""
    token: Token | None = None
    """The access token of the connection's account; None where it has none."""
    spend: Spend = staticmethod(_free)
    """Draws from the account's allowance."""
    hold_off: HoldOff = staticmethod(_alone)
    """Closes the account's allowance to everybody for a while."""
    heard: Heard = staticmethod(_deaf)
    """Learns the account's allowance from answers. Whoever makes the provider sets these five."""
    known: Known
    """What has been landed with a mark. Whoever makes the provider sets it; until then, nothing."""

    def __init__(self, config: Any, *, secret: str | None = None) -> None:
        """`config` is an instance of `Config`; `secret` is the connection's opened credential."""
        self.config = config
        self.secret = secret
        self.known = _nothing

    @abstractmethod
    async def streams(self) -> Sequence[StreamPlan]:
        """The streams this connection has now. Raises like `fetch`."""

    @abstractmethod
    async def fetch(self, stream: str, slice_: str, cursor: JSON) -> Page:
        """One exchange: the page at `cursor` (None: the beginning of the slice)."""

    def reread(self, stream: str, raw: bytes) -> Record:  # noqa: ARG002 - what it cannot, it ignores
        """Read the bytes of a dead letter again, once this code understands them; no calls are
        made. Raises `Skip` where it still cannot, which is what a provider without it does."""
        raise Skip(
            f"The provider {self.name} cannot read a dead letter again.",
            hint="Sync the connection again once the source has mended the record, or drop it.",
        )

    async def attachment(self, raw: Record, number: int) -> Attachment | None:  # noqa: ARG002
        """What is attached to a record that was landed, counted from 0 as its stage names them;
        None where there is no such thing, or no more. Raises like `fetch`, and BadInput for what is
        too large."""
        return None

    async def owner(self) -> Owner:
        """Whose account this is; for providers that have an issuer. Raises like `fetch`."""
        raise NotImplementedError

    async def estimate(self) -> Estimate:
        """What a first sync would take, asked in as few calls as that can be. Raises like `fetch`,
        and BadInput where the provider cannot tell."""
        raise BadInput(
            f"The provider {self.name} cannot say what a sync would take.", hint="Sync it."
        )

    async def aclose(self) -> None:
        """Give back connections and files."""
        return
