"""The stage contract: a pure step from one row type to another, idempotent and versioned.

A stage is one function in one file in `headrace/stages/`:

    @stage(version=1, content="message/rfc822")
    def normalize_mail(raw: RawEvent, stream: StreamContext) -> Iterable[Interaction]:
        ...

The row types in its signature are the wiring: it runs after whatever writes what it reads. It may
raise `Skip` (that row alone becomes a dead letter). Raise `version` when its output changes.

Where speed is worth it, a stage may take `Sequence[RawEvent]` instead, a whole batch at once; when
that raises, it is asked again row by row, so that one bad row is still alone.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from headrace.errors import HeadraceError


class Row(msgspec.Struct, gc=False, kw_only=True):
    """A row a stage writes. `table` and `key` name where it lands and what makes it one row.

    The key is unique within (tenant, stream); the store adds tenant, user, stream and batch.
    """

    table: typing.ClassVar[str]
    key: typing.ClassVar[tuple[str, ...]] = ("source_id",)

    source_id: str
    version: int


class RawEvent(msgspec.Struct, gc=False):
    """One version of one source record, as a stage reads it."""

    source_id: str
    version: int
    occurred_at: datetime | None
    payload: bytes


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


class Stage(msgspec.Struct, frozen=True):
    """A registered stage. `reads` and `writes` are row types, `content` narrows a raw stage.

    `whole` says that it takes a sequence of rows at a time instead of one.
    """

    name: str
    version: int
    reads: type
    writes: type[Row]
    content: str | None
    whole: bool
    run: Callable[[Any, StreamContext], Iterable[Row]]


class StageError(HeadraceError):
    """A stage was declared in a way that cannot be wired; refused at start."""


Transform = Callable[[Any, StreamContext], Iterable[Any]]


def stage(*, version: int, content: str | None = None) -> Callable[[Transform], Stage]:
    """Make a function a stage; its name is the stage's name and its job kind."""

    def wrap(function: Transform) -> Stage:
        hints = typing.get_type_hints(function)
        parameters = list(inspect.signature(function).parameters)
        reads = hints.get(parameters[0]) if len(parameters) == 2 else None
        produced = typing.get_args(hints.get("return"))
        makes_rows = len(produced) == 1 and isinstance(produced[0], type)
        if reads is None or not makes_rows or not issubclass(produced[0], Row):
            raise StageError(
                f"Stage {function.__name__} is not (row, stream) -> Iterable[Row type].",
                hint="See docs/how-to/add-a-stage.md.",
            )
        whole = typing.get_origin(reads) is Sequence
        return Stage(
            name=function.__name__,
            version=version,
            reads=typing.get_args(reads)[0] if whole else reads,
            whole=whole,
            writes=produced[0],
            content=content,
            run=function,
        )

    return wrap
