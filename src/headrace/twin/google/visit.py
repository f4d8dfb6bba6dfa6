"""One call of a method of an API: who calls, with what scopes, on what."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic

from headrace.twin.google.accounts import Account
from headrace.twin.google.asks import A
from headrace.twin.google.clock import Clock
from headrace.twin.google.tokens import Tokens

Json = dict[str, Any]


@dataclass(frozen=True)
class Visit:
    """What a method works with besides its parameters. `ids` are the names in the path."""

    account: Account
    scopes: frozenset[str]
    ids: Mapping[str, str]
    tokens: Tokens
    clock: Clock
    sparse: bool
    sync_ttl_s: float


@dataclass(frozen=True)
class Call(Generic[A]):
    """A method: its name and path in Google's discovery document, what it takes, costs and does.

    Any of `scopes` is enough. `run` raises Problem for what the method refuses.
    """

    name: str
    path: str
    ask: type[A]
    scopes: frozenset[str]
    run: Callable[[Visit, A], Json]
    units: int = 1


def page_size(wanted: int, page: int, *, sparse: bool) -> int:
    """How much of `wanted` the page of this number (from 0) holds.

    Sparse: of three pages one is whole, one is empty and one is half of what it could be.
    """
    if not sparse:
        return wanted
    return (wanted, 0, max(1, wanted // 2))[page % 3]
