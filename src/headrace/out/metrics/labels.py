"""The words that metrics are told by. Only the program's own: a name that somebody has chosen could
be anybody's, and there could be any number of them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from headrace.engine.kinds import SOURCELESS
from headrace.plugins import providers, stages, sync_kinds

OTHER = "other"
"""What is told of a word that this program does not know."""

FINAL = ("SUCCEEDED", "FAILED", "CANCELLED")


def word(value: str | None, known: Iterable[str]) -> str:
    """The value, if it is one of those known."""
    return value if value is not None and value in known else OTHER


@cache
def kinds() -> tuple[str, ...]:
    """Every kind of job."""
    return tuple(sorted({*sync_kinds(), *SOURCELESS}))


@cache
def provider_names() -> tuple[str, ...]:
    """Every provider."""
    return tuple(sorted(providers()))


@cache
def stage_names() -> tuple[str, ...]:
    """Every stage."""
    return tuple(sorted(stages()))


@cache
def refusers() -> tuple[str, ...]:
    """Whatever a dead letter can be of: a stage, the landing, a job."""
    return (*stage_names(), "landing", "job")
