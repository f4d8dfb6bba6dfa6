"""What a rule of alerts is, and which there are: the folder `alerts` is the registry."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, LiteralString

import msgspec

from headrace.engine import alerts
from headrace.errors import HeadraceError
from headrace.settings import Settings
from headrace.store.database import Connection
from headrace.store.incidents import Found

Find = Callable[[Connection, Settings], Sequence[Found]]


class Rule(msgspec.Struct, frozen=True):
    """One rule: what it is called, what it says is wrong, whether the settings want it, and `find`,
    which tells with whom or what that is so now."""

    name: str
    title: str
    wants: Callable[[Settings], bool]
    find: Find


def asking(
    text: LiteralString,
    found: Callable[[dict[str, Any]], Found],
    values: Callable[[Settings], Mapping[str, Any]] = lambda _: {},
) -> Find:
    """A `find` that is one query: `values` has what the settings say to it, and `found` is what
    each of its rows says."""

    def find(connection: Connection, settings: Settings) -> list[Found]:
        return [found(row) for row in connection.execute(text, values(settings))]

    return find


@cache
def rules() -> dict[str, Rule]:
    """Every rule by name. Raises HeadraceError where two have the same one."""
    known: dict[str, Rule] = {}
    for module in sorted(pkgutil.iter_modules(alerts.__path__), key=lambda one: one.name):
        rule = importlib.import_module(f"{alerts.__name__}.{module.name}").RULE
        if known.setdefault(rule.name, rule) is not rule:
            raise HeadraceError(f"Two rules are called {rule.name!r}.", hint="Rename one of them.")
    return known


def wanted(settings: Settings) -> list[tuple[Rule, bool]]:
    """Every rule, and whether the settings want it."""
    return [(rule, rule.wants(settings)) for rule in rules().values()]
