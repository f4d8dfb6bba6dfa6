"""The shape of a memory engine's API: a few requests with places to fill in."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
import yaml

from headrace.errors import BadInput

PLACES = {
    *("text", "id", "version", "key", "space", "tenant", "user", "source", "kind", "subject"),
    *("occurred_at", "thread", "from_name", "from_address", "remote", "secret"),
}
"""What may stand between braces. `id` is the record's own for ever, `key` that of its version,
`space` what MEMORY_ENGINE_SPACE makes of the owner, `remote` what the engine calls the record."""

_PLACE = re.compile(r"\{(\w+)\}")


class Ask(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One request. In its body, `each: X` stands for a list with an X for every record of at most
    `at_once`; without, each record is a request. `ids` is the path to the engine's own ids in the
    answer, `*` for every item of a list; `fine` are refusals that mean that it is done already."""

    method: str
    path: str
    body: Any = None
    at_once: int = 1
    ids: str | None = None
    fine: tuple[int, ...] = ()


class Shape(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How an engine is told: `prepare` before anything else, `add`, and `remove`, where it can.
    With `upsert` an `add` of an id that is there already takes its place."""

    add: Ask
    remove: Ask | None = None
    prepare: tuple[Ask, ...] = ()
    headers: dict[str, str] = {}
    upsert: bool = False


def load(named: str) -> Shape:
    """The shape of that name, or in that file. Raises BadInput."""
    if named.endswith((".yaml", ".yml")):
        try:
            text = Path(named).read_text()
        except (OSError, UnicodeDecodeError) as error:
            raise _wrong(named, str(error)) from None
    else:
        known = names()
        if named not in known:
            near = difflib.get_close_matches(named, known, n=1)
            raise BadInput(
                f"There is no memory engine's shape {named!r}.",
                hint=f"Did you mean {near[0]!r}?"
                if near
                else f"There are {', '.join(known)}; or name a YAML file of your own.",
            )
        text = (files("headrace.memory") / "shapes" / f"{named}.yaml").read_text()
    return read(named, text)


def names() -> list[str]:
    """The shapes that Headrace brings."""
    found = (files("headrace.memory") / "shapes").iterdir()
    return sorted(one.name[:-5] for one in found if one.name.endswith(".yaml"))


def read(named: str, text: str) -> Shape:
    """A shape from YAML. Raises BadInput for one that does not fit, naming what does not."""
    try:
        shape = msgspec.convert(yaml.safe_load(text), Shape)
    except yaml.YAMLError as error:
        raise _wrong(named, str(error)) from None
    except msgspec.ValidationError as error:
        raise _wrong(named, f"{error}") from None
    unknown = sorted(set(_places(msgspec.to_builtins(shape))) - PLACES)
    if unknown:
        raise _wrong(named, f"there is nothing to put into {{{unknown[0]}}}")
    if not 1 <= shape.add.at_once <= 1_000:
        raise _wrong(named, "at_once is a number from 1 to 1000")
    return shape


def fill(template: Any, values: Mapping[str, Any], each: list[Mapping[str, Any]]) -> Any:
    """The template with its places filled in. A place that is alone keeps its value's type; a
    field whose value is None is left out."""
    if isinstance(template, str):
        alone = _PLACE.fullmatch(template)
        if alone:
            return values.get(alone[1])
        return _PLACE.sub(lambda place: _text(values.get(place[1])), template)
    if isinstance(template, list):
        return [fill(one, values, each) for one in template]
    if isinstance(template, dict):
        if set(template) == {"each"}:
            return [fill(template["each"], {**values, **one}, each) for one in each]
        filled = {name: fill(one, values, each) for name, one in template.items()}
        return {name: one for name, one in filled.items() if one is not None}
    return template


def path(template: str, values: Mapping[str, Any]) -> str:
    """A path with its places filled in, so that none of them leads elsewhere."""
    return _PLACE.sub(lambda place: quote(_text(values.get(place[1])), safe=""), template)


def find(answer: Any, where: str) -> list[str]:
    """The ids at a dotted path of an answer; none where it has another form."""
    found = [answer]
    for part in where.split("."):
        if part == "*":
            found = [one for several in found if isinstance(several, list) for one in several]
        elif part:
            found = [one[part] for one in found if isinstance(one, dict) and part in one]
    return [_text(one) for one in found if isinstance(one, str | int)]


def _places(template: Any) -> Iterator[str]:
    if isinstance(template, str):
        yield from _PLACE.findall(template)
    elif isinstance(template, dict):
        for one in template.values():
            yield from _places(one)
    elif isinstance(template, list | tuple):
        for one in template:
            yield from _places(one)


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _wrong(named: str, why: str) -> BadInput:
    return BadInput(
        f"The memory engine's shape {named} cannot be used: {why}.",
        hint="docs/how-to/memory.md says what one looks like.",
    )
