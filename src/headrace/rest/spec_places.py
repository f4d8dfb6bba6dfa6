"""Where in a spec a mistake is: Pydantic's `loc` made readable, and the line it is on."""

from __future__ import annotations

import typing
from collections.abc import Sequence
from typing import Any

import yaml
from pydantic import BaseModel

Loc = Sequence[int | str]


def readable(model: type[BaseModel], loc: Loc) -> tuple[str, ...]:
    """The keys a person wrote on the way to `loc`, without the names Pydantic gives to choices."""
    return tuple(part for part, _ in _steps(model, loc))


def known_keys(model: type[BaseModel], loc: Loc) -> list[str]:
    """The keys there are at `loc`."""
    steps = _steps(model, loc)
    here: Any = steps[-1][1] if steps else model
    for choice in _choices(here):
        if _is_model(choice) and _tag(choice) in {None, loc[-1] if loc else None}:
            return [field.alias or name for name, field in choice.model_fields.items()]
    return []


def line_of(node: yaml.Node | None, place: Sequence[str]) -> int | None:
    """The line, from 1, of the key at `place`, or of the nearest thing around it."""
    line = None
    for part in place:
        if isinstance(node, yaml.MappingNode):
            found = [(key, value) for key, value in node.value if key.value == part]
            if not found:
                return line or node.start_mark.line + 1
            line, node = found[0][0].start_mark.line + 1, found[0][1]
        elif (
            isinstance(node, yaml.SequenceNode) and part.isdecimal() and int(part) < len(node.value)
        ):
            node = node.value[int(part)]
            line = node.start_mark.line + 1
        else:
            break
    return line


def _steps(model: type[BaseModel], loc: Loc) -> list[tuple[str, Any]]:
    """Each readable part of `loc` with the type that its value should have."""
    steps: list[tuple[str, Any]] = []
    here: Any = model
    for part in loc:
        if part == "[key]" or part in {"str", "list[str]"}:  # what a mistake was about, not where
            continue
        choices = _choices(here)
        models = [c for c in choices if _is_model(c)]
        if any(_tag(m) == part for m in models):
            here = next(m for m in models if _tag(m) == part)
            continue
        container = next((c for c in choices if typing.get_origin(c) in {dict, list}), None)
        if models:
            fields = models[0].model_fields
            named = {field.alias or name: field.annotation for name, field in fields.items()}
            here = named.get(str(part))
        elif container is not None:
            here = typing.get_args(container)[-1]
        else:
            break
        steps.append((str(part), here))
    return steps


def _choices(kind: Any) -> list[Any]:
    """The members of a union, however it is wrapped."""
    if hasattr(kind, "__metadata__"):
        return _choices(typing.get_args(kind)[0])
    if typing.get_origin(kind) in {dict, list} or _is_model(kind) or not typing.get_args(kind):
        return [kind]
    return [choice for part in typing.get_args(kind) for choice in _choices(part)]


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _tag(model: type[BaseModel]) -> str | None:
    """What tells this model from the others of its union: the one value of its field `by`."""
    field = model.model_fields.get("by")
    values = typing.get_args(field.annotation) if field else ()
    return str(values[0]) if values else None
