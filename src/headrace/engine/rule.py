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

Find = Callable[[Connection, Settings], Sequence[Found] | None]


class Rule(msgspec.Struct, frozen=True):
    """One rule: what it is called, what it says is wrong, and `find`, which tells with whom or what
    that is so now. None: the settings do not want it."""

    name: str
    title: str
    find: Find


def asking(
    text: LiteralString,
    values: Callable[[Settings], Mapping[str, Any] | None],
    found: Callable[[dict[str, Any]], Found],
) -> Find:
    """A `find` that is one query: `values` has what the settings say to it, or None, and `found` is
    what each of its rows says."""

    def find(connection: Connection, settings: Settings) -> list[Found] | None:
        asked = values(settings)
        if asked is None:
            return None
        return [found(row) for row in connection.execute(text, asked)]

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
