"""The stage contract: a step over what a batch brought, idempotent and versioned.

A stage is one function in one file in `headrace/stages/`. A pure one turns rows into rows:

    @stage(version=1, content="message/rfc822")
    def normalize_mail(raw: RawEvent, stream: StreamContext) -> Iterable[Interaction]:
        ...

The row types in its signature are the wiring: it runs after whatever writes what it reads. It may
raise `Skip` (that row alone becomes a dead letter). Raise `version` when its output changes.

Where speed is worth it, a stage may take `Sequence[RawEvent]` instead, a whole batch at once; when
that raises, it is asked again row by row, so that one bad row is still alone.

One that needs more than rows - a model, a parser, what other batches have left in the tables -
takes the batch itself and says what to write. It works outside of any transaction, for as long as
it needs; what it returns is written in one:

    @stage(version=1, after="chunk")
    def embed(batch: Batch) -> Made:
        ...
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

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
    `gone`: what they made of its earlier versions is deleted for them."""

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


class Batch(msgspec.Struct):
    """A batch, for a stage that takes it whole. `read` runs one query and gives its rows as dicts;
    every query must name the batch's tenant, for the stage reads as the tables' owner.

    For a stage that writes elsewhere as well: `secret` is the connection's credential, opened;
    `hold` gives a connection in autocommit that holds this lock of the stream, shared with other
    batches, until what the stage has made is written.
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

    def keys(self) -> dict[str, Any]:
        """What its queries are given."""
        return {
            "tenant": self.tenant,
            "user": self.user,
            "stream_id": self.stream_id,
            "batch_id": self.batch_id,
            "job_id": self.job_id,
        }


class Made(msgspec.Struct):
    """What such a stage has to write: `write` is called once, in the transaction that also says
    that the stage is done, and returns how many rows it wrote. `bad` are records it refused, with
    the version of each."""

    rows_in: int
    write: Callable[[psycopg.Connection[dict[str, Any]]], int]
    bad: list[BadRecord] = []
    versions: list[int] = []


class Stage(msgspec.Struct, frozen=True):
    """A registered stage. `reads` is a row type, or `Batch`; `writes` the row type of a pure one.

    One over raw events says of which `content`; one over what another stage has made says `after`
    which. `whole` says that it takes a sequence of rows at a time instead of one.
    """

    name: str
    version: int
    reads: type
    writes: type[Row] | None
    content: str | None
    after: str | None
    whole: bool
    run: Callable[..., Any]


class StageError(HeadraceError):
    """A stage was declared in a way that cannot be wired; refused at start."""


Function = TypeVar("Function", bound=Callable[..., Any])


def stage(
    *, version: int, content: str | None = None, after: str | None = None
) -> Callable[[Function], Stage]:
    """Make a function a stage; its name is the stage's name and its job kind."""

    def wrap(function: Function) -> Stage:
        hints = typing.get_type_hints(function)
        parameters = [hints.get(name) for name in inspect.signature(function).parameters]
        reads, writes, whole = _signature(function, parameters, hints.get("return"))
        return Stage(
            name=function.__name__,
            version=version,
            reads=reads,
            writes=writes,
            content=content,
            after=after,
            whole=whole,
            run=function,
        )

    return wrap


def _signature(
    function: Callable[..., Any], parameters: list[Any], returns: Any
) -> tuple[type, type[Row] | None, bool]:
    if parameters == [Batch] and returns is Made:
        return Batch, None, True
    reads = parameters[0] if len(parameters) == 2 else None
    produced = typing.get_args(returns)
    makes_rows = len(produced) == 1 and isinstance(produced[0], type)
    if reads is None or not makes_rows or not issubclass(produced[0], Row):
        raise StageError(
            f"Stage {function.__name__} is neither (row, stream) -> Iterable[Row type] nor"
            " (Batch) -> Made.",
            hint="See docs/how-to/add-a-stage.md.",
        )
    whole = typing.get_origin(reads) is Sequence
    return (typing.get_args(reads)[0] if whole else reads), produced[0], whole
