"""The order of stages, from their types: what runs on a content, and what each waits for.

A stage runs on a batch when what it reads is written there: by a stage over the batch's raw events,
or by one that follows from those. It runs after all of them that write what it reads.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache

import msgspec

from headrace.stage import RawEvent, Stage, StageError


class Step(msgspec.Struct, frozen=True):
    """A stage in the order of one content, what it waits for, and all that leads to it."""

    stage: Stage
    before: tuple[Stage, ...]
    lineage: tuple[Stage, ...]


@cache
def order(known: tuple[Stage, ...], content: str) -> Sequence[Step]:
    """The stages that run on batches of this content, each after what it waits for. Those that
    stand apart come last."""
    at_work = _at_work(known, content)
    steps: dict[str, Step] = {}
    waiting = sorted(at_work, key=lambda one: (one.apart, one.name))
    while waiting:
        for one in waiting:
            before = [other for other in at_work if other is not one and _feeds(other, one)]
            if all(other.name in steps for other in before):
                lineage = {step.name: step for b in before for step in steps[b.name].lineage}
                steps[one.name] = Step(one, tuple(before), (*lineage.values(), one))
                waiting.remove(one)
                break
        else:
            names = ", ".join(one.name for one in waiting)
            raise StageError(
                f"These stages wait for one another: {names}.",
                hint="One of them reads what comes of what it writes.",
            )
    return list(steps.values())


def prove(declared: Iterable[Stage]) -> None:
    """Refuse a stage that nothing can feed (ruling X8). Raises StageError."""
    known = tuple(declared)
    fed: set[str] = set()
    for content in contents(known):
        fed |= {step.stage.name for step in order(known, content)}
    for one in known:
        raw = RawEvent in one.reads
        if raw != (one.content is not None):
            raise StageError(
                f"Stage {one.name} must say of which content the raw events are that it reads, and"
                " only one that reads raw events may.",
                hint='Declare it as @stage(version=1, content="application/json").',
            )
        if one.name not in fed:
            names = " or ".join(read.__name__ for read in one.reads) or "nothing"
            raise StageError(
                f"Nothing feeds stage {one.name}: it reads {names}, which no stage writes.",
                hint="Read the raw event, or correct the annotation.",
            )


def contents(known: Iterable[Stage]) -> list[str]:
    """Every content that a stage reads raw events of."""
    return sorted({one.content for one in known if one.content is not None})


def _at_work(known: Sequence[Stage], content: str) -> list[Stage]:
    found = [one for one in known if one.content == content]
    while True:
        written = {made for one in found for made in one.writes}
        more = [one for one in known if one not in found and written.intersection(one.reads)]
        if not more:
            return found
        found += more


def _feeds(one: Stage, other: Stage) -> bool:
    return bool(set(one.writes).intersection(other.reads))
