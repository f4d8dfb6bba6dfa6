"""The options that say which dead letters are meant, the same for every command that takes many."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Annotated, Any, Literal, get_type_hints

import typer

from headrace.cli.options import local
from headrace.store.dead_letters import Chosen

State = Annotated[
    Literal["open", "retried", "dropped", "all"], typer.Option(help="Only those in this state.")
]
Level = Annotated[
    Literal["record", "batch", "job"] | None, typer.Option(help="Only those of this level.")
]
StageName = Annotated[
    str | None, typer.Option("--stage", help="Only those of landing, job, or this stage.")
]
StreamName = Annotated[str | None, typer.Option("--stream", help="Only those of this stream.")]
ProviderName = Annotated[str | None, typer.Option("--provider", help="Only this provider's.")]
Named = Annotated[str | None, typer.Option("--connection", help="Only this connection's.")]
Reason = Annotated[
    str | None, typer.Option("--reason", help="A part of the reason; * stands for anything.")
]
Met = Annotated[
    datetime | None, typer.Option("--since", help="Only those met or tried then or later.")
]


def narrowed(*, state: bool = True) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command that takes `chosen` the options that it is made of; without `state`, only open
    letters are meant."""

    def wrap(command: Callable[..., None]) -> Callable[..., None]:
        options = {**({"state": (State, "open")} if state else {}), **_OPTIONS}

        @wraps(command)
        def run(**given: Any) -> None:
            named = {name: given.pop(name) for name in options}
            named["since"] = local(named["since"])
            meant = named.get("state", "open")
            named["state"] = None if meant == "all" else meant
            command(chosen=Chosen(**named), **given)

        hints = get_type_hints(command, include_extras=True)
        own = [
            one.replace(annotation=hints[name])
            for name, one in inspect.signature(command).parameters.items()
            if name != "chosen"
        ]
        more = [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=to, annotation=kind)
            for name, (kind, to) in options.items()
        ]
        ordered = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in own]
        all_ = [*ordered[:-1], *more, ordered[-1]]
        run.__signature__ = inspect.Signature(all_)  # type: ignore[attr-defined]
        run.__annotations__ = {one.name: one.annotation for one in all_}
        del run.__wrapped__
        return run

    return wrap


_OPTIONS: dict[str, tuple[Any, Any]] = {
    "level": (Level, None),
    "stage": (StageName, None),
    "stream": (StreamName, None),
    "provider": (ProviderName, None),
    "connection": (Named, None),
    "reason": (Reason, None),
    "since": (Met, None),
}
