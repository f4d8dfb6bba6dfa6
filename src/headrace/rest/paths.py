"""Dotted paths compiled to msgspec structs, which decode just the fields that are asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any

import msgspec

from headrace.text import one_line

Getter = Callable[[Any], Any]

_ANYTHING_ELSE = list[msgspec.Raw] | str | int | float | bool | None


def compile_paths(
    name: str, paths: Mapping[str, Any], *, strict: bool
) -> tuple[type[msgspec.Struct], dict[str, Getter]]:
    """A struct type holding `paths` (path -> type) and a getter for each path.

    A field that is absent gives UNSET, and an object on the way that is absent counts as empty. Of
    one that is something else, a strict struct does not decode, the other gives UNSET. Raises
    ValueError when one path leads through the end of another.
    """
    tree: dict[str, Any] = {}
    for path, kind in paths.items():
        *parents, leaf = path.split(".")
        here = tree
        for parent in parents:
            here = here.setdefault(parent, {})
            if not isinstance(here, dict):
                raise ValueError(f"{path} leads through a field that is used itself")
        if leaf in here:
            raise ValueError(f"{path} is the way to a field that is used as well")
        here[leaf] = _Leaf(kind)
    getters: dict[str, Getter] = {}
    struct = _struct(name, tree, "", "", getters, strict)
    return struct, getters


class _Leaf:
    """The type of a field, told apart from the dict that an inner object is."""

    def __init__(self, kind: Any) -> None:
        self.kind = kind


def _struct(
    name: str,
    tree: Mapping[str, Any],
    path: str,
    route: str,
    getters: dict[str, Getter],
    strict: bool,
) -> type[msgspec.Struct]:
    fields: list[tuple[str, Any, Any]] = []
    renames: dict[str, str] = {}
    for number, (key, value) in enumerate(tree.items()):
        field = f"f{number}"
        renames[field] = key
        here, way = f"{path}{key}", f"{route}{field}"
        if isinstance(value, _Leaf):
            fields.append((field, value.kind | msgspec.UnsetType, msgspec.UNSET))
            getters[here] = attrgetter(way) if strict or not route else _tolerant(attrgetter(way))
        else:
            inner = _struct(f"{name}_{number}", value, f"{here}.", f"{way}.", getters, strict)
            kind: Any = inner if strict else inner | _ANYTHING_ELSE
            fields.append((field, kind, msgspec.field(default_factory=inner)))
    return msgspec.defstruct(name, fields, rename=renames, gc=False)


def _tolerant(getter: Getter) -> Getter:
    def get(value: Any) -> Any:
        try:
            return getter(value)
        except AttributeError:
            return msgspec.UNSET

    return get


def look(value: Any, path: str) -> Any:
    """The value at `path` in decoded JSON; UNSET where there is none."""
    for part in path.split("."):
        if not isinstance(value, dict) or part not in value:
            return msgspec.UNSET
        value = value[part]
    return value


def keys_of(body: bytes) -> str:
    """What a JSON document is, in a few words: `an object with data, meta`."""
    try:
        fields = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        start = body.lstrip()[:1]
        return "an array" if start == b"[" else "not an object"
    shown = one_line(", ".join(sorted(fields)[:20]))
    return f"an object with {shown}" if fields else "an empty object"
