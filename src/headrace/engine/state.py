"""What workflows need of their process: DBOS calls them by name, with ids only."""

from __future__ import annotations

import msgspec

from headrace.plugins import choose
from headrace.settings import Settings
from headrace.store.database import Database
from headrace.vault import Vault


class State(msgspec.Struct, frozen=True):
    """The process's database, settings and vault."""

    database: Database
    settings: Settings
    vault: Vault


_current: list[State] = []


def enter(new: State) -> None:
    """Set the state before the engine is launched."""
    _current[:] = [new]
    choose(new.settings)


def current() -> State:
    """The state of the running engine."""
    return _current[0]
