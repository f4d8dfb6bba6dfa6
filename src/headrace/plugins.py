"""Finds providers and stages: the folders are the registry, entry points serve other packages.

Entry point groups are `headrace.providers` and `headrace.stages`; each names a module.
"""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.metadata import entry_points
from inspect import isabstract
from types import ModuleType
from typing import Any

from headrace import providers as provider_folder
from headrace import stages as stage_folder
from headrace.errors import BadInput
from headrace.provider import Provider
from headrace.stage import Batch, RawEvent, Stage, StageError


def _modules(folder: ModuleType, group: str) -> Iterator[ModuleType]:
    for found in sorted(pkgutil.iter_modules(folder.__path__), key=lambda m: m.name):
        yield importlib.import_module(f"{folder.__name__}.{found.name}")
    for point in sorted(entry_points(group=group)):
        yield point.load()


@cache
def providers() -> dict[str, type[Provider]]:
    """Every provider by name."""
    found: dict[str, type[Provider]] = {}
    for module in _modules(provider_folder, "headrace.providers"):
        for value in vars(module).values():
            if isinstance(value, type) and issubclass(value, Provider) and not isabstract(value):
                if found.get(value.name, value) is not value:
                    raise BadInput(
                        f"Two providers are called {value.name!r}: {found[value.name].__module__} "
                        f"and {value.__module__}.",
                        hint="Rename one of them, or remove its package.",
                    )
                found[value.name] = value
    return found


def provider(name: str) -> type[Provider]:
    """The provider of that name. Raises BadInput with the nearest name there is."""
    known = providers()
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        raise BadInput(
            f"There is no provider {name!r}.",
            hint=f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(known)}.",
        )
    return known[name]


def sync_kinds() -> dict[str, type[Provider]]:
    """Every sync job kind and alias, with the provider it runs."""
    return {kind: one for one in providers().values() for kind in (one.kind, *one.aliases)}


@cache
def stages() -> dict[str, Stage]:
    """Every stage by name, proven to be fed (ruling X8)."""
    found: dict[str, Stage] = {}
    for module in _modules(stage_folder, "headrace.stages"):
        for value in vars(module).values():
            if isinstance(value, Stage) and found.setdefault(value.name, value) is not value:
                raise StageError(
                    f"Two stages are called {value.name!r}: {found[value.name].run.__module__} "
                    f"and {value.run.__module__}.",
                    hint="Rename one of them, or remove its package.",
                )
    prove(found.values())
    return found


def prove(declared: Iterable[Stage]) -> None:
    """Refuse a stage that nothing can feed. Raises StageError."""
    known = {one.name: one for one in declared}
    for one in known.values():
        if one.reads not in (RawEvent, Batch):
            raise StageError(
                f"Stage {one.name} reads {one.reads.__name__}: this version feeds stages with "
                "RawEvent or a whole Batch only.",
                hint="Read the raw event, or correct the annotation.",
            )
        if (one.content is None) == (one.after is None):
            raise StageError(
                f"Stage {one.name} must say either of which content the raw events are that it "
                "reads, or after which stage it runs.",
                hint='Declare it as @stage(version=1, content="application/json").',
            )
        if one.after is not None and (one.reads is RawEvent or _root(one, known) is None):
            raise StageError(
                f"Nothing comes before stage {one.name}: there is no stage {one.after!r}, or it "
                "waits for itself.",
                hint="A stage after another takes the Batch; name one that there is.",
            )


def _root(one: Stage, known: dict[str, Stage]) -> Stage | None:
    """The first stage of the chain that leads to this one; None for one that leads nowhere."""
    passed: set[str] = set()
    while one.after is not None:
        if one.name in passed or one.after not in known:
            return None
        passed.add(one.name)
        one = known[one.after]
    return one


def raw_stages(content: str) -> list[Stage]:
    """The stages that read raw events of this content."""
    return [s for s in stages().values() if s.content == content]


def next_stages(name: str) -> list[Stage]:
    """The stages that run after this one."""
    return [s for s in stages().values() if s.after == name]


def following(name: str) -> list[Stage]:
    """Every stage that hangs on this one, however far down."""
    found = next_stages(name)
    return found + [further for one in found for further in following(one.name)]


def wiring() -> dict[str, list[Any]]:
    """All stages as the arrays that queries unnest: name, version, content, what comes before."""
    known = stages()
    all_ = list(known.values())
    return {
        "stages": [one.name for one in all_],
        "versions": [one.version for one in all_],
        "contents": [_content(one, known) for one in all_],
        "befores": [one.after for one in all_],
        "depths": [len(_lineage(one, known)) for one in all_],
        "lineages": [",".join(_lineage(one, known)) for one in all_],
        "before_versions": [known[one.after].version if one.after else None for one in all_],
    }


def _content(one: Stage, known: dict[str, Stage]) -> str | None:
    root = _root(one, known)
    return root.content if root else None


def _lineage(one: Stage, known: dict[str, Stage]) -> list[str]:
    """The stages that lead to this one and itself, each with its version."""
    before = [] if one.after is None else _lineage(known[one.after], known)
    return [*before, f"{one.name}:{one.version}"]
