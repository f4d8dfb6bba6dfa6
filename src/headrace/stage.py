"""The stage contract: a step over what a batch brought, idempotent and versioned.

A stage is one function in one file in `headrace/stages/`. A pure one turns rows into rows:

    @stage(version=1, content="message/rfc822")
    def normalize_mail(raw: RawEvent, stream: StreamContext) -> Iterable[Interaction]:
        ...

The row types in its signature are the wiring: it runs after whatever writes what it reads. It may
raise `Skip` (that row alone becomes a dead letter). Raise `version` when its output changes.

One over rows that another stage has written takes their type in the place of RawEvent, or several:
`row: InteractionRow | CalendarEventRow`.

Where speed is worth it, a stage may take `Sequence[RawEvent]` instead, a whole batch at once; when
that raises, it is asked again row by row, so that one bad row is still alone.

One that needs more than rows - a model, a parser, what other batches have left in the tables -
takes the batch itself and says what to write. It works outside of any transaction, for as long as
it needs; what it returns is written in one:

    @stage(version=1)
    def chunk(batch: Batch[Texts]) -> Made[Chunks]:
        ...

It runs after every stage that writes what it reads: order, fan-out and fan-in come of the types.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

import msgspec

from headrace.errors import HeadraceError
from headrace.provider import BadRecord

if TYPE_CHECKING:  # a plugin, and a command that has only begun, need neither
    import psycopg

    from headrace.settings import Settings


class Row(msgspec.Struct, gc=False, kw_only=True):
    """A row a stage writes. `table` and `key` name where it lands and what makes it one row.

    The key is unique within (tenant, stream); the store adds tenant, user, stream and batch.
    """

    table: typing.ClassVar[str]
    key: typing.ClassVar[tuple[str, ...]] = ("source_id",)

    source_id: str
    version: int


class RawEvent(msgspec.Struct, gc=False):
    """One version of one source record, as a stage reads it. Pure stages never see one that is
    `gone`: what they made of its earlier versions is deleted for them. So it is where they make
    nothing of a new version."""

    source_id: str
    version: int
    occurred_at: datetime | None
    payload: bytes
    gone: bool = False


class StreamContext(msgspec.Struct, frozen=True):
    """What a stage may know of where its rows came from.

    `addresses` are the account's own mail addresses, lower-cased, for telling sent from received.
    `config` is the connection's configuration as JSON text: hashable, so a stage can cache what it
    compiles from it.
    """

    provider: str
    stream: str
    content: str
    config: str
    addresses: frozenset[str] = frozenset()


Reads = TypeVar("Reads")
Writes = TypeVar("Writes")


class Batch(msgspec.Struct, Generic[Reads]):
    """A batch, for a stage that takes it whole. `read` runs one query and gives its rows as dicts;
    every query must name the batch's tenant, for the stage reads as the tables' owner.

    What stands in a table with the batch's number is this batch's to work on. A record that a later
    batch has brought anew carries that one's number, and is that one's.

    For a stage that writes elsewhere as well: `secret` is the connection's credential, opened;
    `hold` gives a connection in autocommit that holds this lock of the stream, shared with other
    batches, until what the stage has made is written. `version` is the stage's own: what was made
    under an older one is made again; with `anew`, everything is.
    """

    batch_id: int
    tenant: str
    user: str
    stream_id: int
    job_id: str
    stream: StreamContext
    settings: Settings
    read: Callable[[str, dict[str, Any]], list[dict[str, Any]]]
    trusted: bool
    secret: Callable[[], str | None]
    hold: Callable[[int], psycopg.Connection[dict[str, Any]]]
    version: int = 1
    anew: bool = False

    def keys(self) -> dict[str, Any]:
        """What its queries are given."""
        return {
            "tenant": self.tenant,
            "user": self.user,
            "stream_id": self.stream_id,
            "batch_id": self.batch_id,
            "job_id": self.job_id,
            "version": self.version,
            "anew": self.anew,
        }


class Made(msgspec.Struct, Generic[Writes]):
    """What such a stage has to write: `write` is called once, in the transaction that also says
    that the stage is done, and returns how many rows it wrote. `bad` are records it refused, with
    the version of each."""

    rows_in: int
    write: Callable[[psycopg.Connection[dict[str, Any]]], int]
    bad: list[BadRecord] = []
    versions: list[int] = []


Takes = Literal["row", "rows", "batch"]
When = Callable[["Settings"], bool]


class Stage(msgspec.Struct, frozen=True):
    """A registered stage: what it takes at a time, the types it `reads` and those it `writes`.

    One that reads raw events says of which `content`. One that stands `apart` is run by a workflow
    of its own, after everything else there is to do: nothing and nobody waits for it. Where `when`
    says no to the settings, it is as if there were no such stage; once it says yes, the batches of
    before are worked through as well.
    """

    name: str
    version: int
    takes: Takes
    reads: tuple[type, ...]
    writes: tuple[type, ...]
    content: str | None
    apart: bool
    run: Callable[..., Any]
    when: When | None = None

    @property
    def rows(self) -> tuple[type[Row], ...]:
        """The row types of a pure stage; none for one that writes by itself."""
        return () if self.takes == "batch" else self.writes

    @property
    def by_record(self) -> tuple[type[Row], ...]:
        """What a stage that writes by itself writes for each record: types with a `table` that has
        the columns stream_id, source_id and version. What is of records that are gone goes too."""
        return tuple(one for one in self.writes if self.takes == "batch" and hasattr(one, "table"))


class StageError(HeadraceError):
    """A stage was declared in a way that cannot be wired; refused at start."""


Function = TypeVar("Function", bound=Callable[..., Any])


def stage(
    *,
    version: int,
    content: str | None = None,
    apart: bool = False,
    when: When | None = None,
) -> Callable[[Function], Stage]:
    """Make a function a stage; its name is the stage's name and its job kind."""

    def wrap(function: Function) -> Stage:
        hints = typing.get_type_hints(function)
        parameters = [hints.get(name) for name in inspect.signature(function).parameters]
        takes, reads, writes = _signature(function, parameters, hints.get("return"))
        return Stage(
            name=function.__name__,
            version=version,
            takes=takes,
            reads=reads,
            writes=writes,
            content=content,
            apart=apart,
            run=function,
            when=when,
        )

    return wrap


def _signature(
    function: Callable[..., Any], parameters: list[Any], returns: Any
) -> tuple[Takes, tuple[type, ...], tuple[type, ...]]:
    first = parameters[0] if parameters else None
    given, made = typing.get_origin(first), typing.get_origin(returns)
    writes = _types(_inner(returns))
    if given is Batch and len(parameters) == 1 and made is Made and writes:
        return "batch", _types(_inner(first)), writes
    takes: Takes = "rows" if given is Sequence else "row"
    reads = _types(_inner(first) if given is Sequence else first)
    rows = all(issubclass(one, Row) for one in writes)
    raw_or_rows = reads == (RawEvent,) or (reads and all(issubclass(one, Row) for one in reads))
    if not (len(parameters) == 2 and made is Iterable and writes and rows and raw_or_rows):
        raise StageError(
            f"Stage {function.__name__} is neither (row, stream) -> Iterable[Row type] nor"
            " (Batch[type]) -> Made[type].",
            hint="See docs/how-to/add-a-stage.md.",
        )
    return takes, reads, writes


def _inner(hint: Any) -> Any:
    inner = typing.get_args(hint)
    return inner[0] if len(inner) == 1 else None


def _types(hint: Any) -> tuple[type, ...]:
    """The types of `A | B`, or of `A`."""
    return tuple(one for one in typing.get_args(hint) or (hint,) if isinstance(one, type))
