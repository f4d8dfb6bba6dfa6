"""Finds providers, stages and kinds of insight: the folders are the registry, entry points serve
other packages.

Their groups are `headrace.providers`, `headrace.stages` and `headrace.insights`; each entry point
names a module.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from importlib.metadata import entry_points
from inspect import isabstract
from types import ModuleType
from typing import Any

from headrace import insights as insight_folder
from headrace import providers as provider_folder
from headrace import stages as stage_folder
from headrace.errors import BadInput
from headrace.insight import Kind
from headrace.provider import Provider
from headrace.settings import Settings
from headrace.stage import Row, Stage, StageError
from headrace.text import did_you_mean, one_line
from headrace.wiring import Step, contents, order, prove


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
        raise BadInput(f"There is no provider {name!r}.", hint=did_you_mean(name, known))
    return known[name]


def sync_kinds() -> dict[str, type[Provider]]:
    """Every sync job kind and alias, with the provider it runs."""
    return {kind: one for one in providers().values() for kind in (one.kind, *one.aliases)}


def unknown_kind(kind: str, known: Iterable[str]) -> BadInput:
    """What is said of a kind of job that is none of those known."""
    return BadInput(f"Unknown job kind: {one_line(kind)}", hint=did_you_mean(kind, sorted(known)))


def provider_of_kind(kind: str) -> type[Provider]:
    """Who does sync jobs of this kind, or of this alias. Raises BadInput with the nearest kind."""
    known = sync_kinds()
    if kind not in known:
        raise unknown_kind(kind, known)
    return known[kind]


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


_wanted: set[str] = set()


def choose(settings: Settings) -> None:
    """From now on, run in this process the stages that these settings want, and no others."""
    _wanted.clear()
    _wanted.update(one.name for one in stages().values() if one.when and one.when(settings))


def at_work() -> tuple[Stage, ...]:
    """The stages that are run in this process: all, but for those that its settings do not want."""
    return tuple(one for one in stages().values() if one.when is None or one.name in _wanted)


@cache
def insight_kinds() -> dict[str, Kind]:
    """Every kind of insight by name."""
    found: dict[str, Kind] = {}
    for module in _modules(insight_folder, "headrace.insights"):
        for value in vars(module).values():
            if isinstance(value, Kind) and found.setdefault(value.name, value) is not value:
                raise BadInput(
                    f"Two kinds of insight are called {value.name!r}.", hint="Rename one of them."
                )
    return found


def insight_kind(name: str) -> Kind:
    """The kind of insight of that name. Raises BadInput with the nearest name there is."""
    known = insight_kinds()
    if name not in known:
        raise BadInput(
            f"There is no kind of insight {one_line(name)!r}.",
            hint=did_you_mean(name, sorted(known)),
        )
    return known[name]


def steps(content: str) -> Sequence[Step]:
    """The stages that run on batches of this content, in their order."""
    return order(at_work(), content)


def raw_stages(content: str) -> list[Stage]:
    """The stages that read raw events of this content."""
    return [step.stage for step in steps(content) if not step.before]


def following(content: str, name: str) -> list[Step]:
    """Every step that hangs on this stage, however far down, in order."""
    return [
        step
        for step in steps(content)
        if step.stage.name != name and name in (one.name for one in step.lineage)
    ]


def made_below(content: str, one: Stage) -> list[type[Row]]:
    """The row types of a stage, and of every stage that hangs on it."""
    stages_ = (one, *(step.stage for step in following(content, one.name)))
    return list(dict.fromkeys(row for each in stages_ for row in (*each.rows, *each.by_record)))


def wiring(*, apart: bool = True) -> dict[str, list[Any]]:
    """All steps as the arrays that queries unnest: stage, version, content, what it waits for, all
    that leads to it. Without `apart`, only those that jobs wait for."""
    known = at_work()
    all_ = [
        (content, at, step)
        for content in contents(known)
        for at, step in enumerate(order(known, content))
        if apart or not step.stage.apart
    ]
    return {
        "stages": [step.stage.name for _, _, step in all_],
        "versions": [step.stage.version for _, _, step in all_],
        "contents": [content for content, _, _ in all_],
        "befores": [_listed(step.before) for _, _, step in all_],
        "depths": [at for _, at, _ in all_],
        "lineages": [_listed(step.lineage) for _, _, step in all_],
    }


def _listed(several: Sequence[Stage]) -> str:
    return ",".join(f"{one.name}:{one.version}" for one in several)
