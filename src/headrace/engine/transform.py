"""Calling a pure stage: on a whole batch, or row by row, so that what it refuses is alone."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain

from headrace.errors import Skip
from headrace.provider import BadRecord
from headrace.stage import RawEvent, Row, Stage, StreamContext

_AT_ONCE = 500
"""Rows that a stage for whole batches is given at once: so few stay in the processor's cache from
one pass over them to the next, and the pass costs a fifth less (measured)."""


Transformed = tuple[list[Row], list[BadRecord], list[int]]
"""The rows a stage made, and what it refused with the versions refused."""

Make = Callable[[Stage, list[RawEvent], StreamContext], Transformed]
"""A way to call a stage."""


def transform(
    one: Stage, raws: list[RawEvent], stream: StreamContext, *, isolate: bool = False
) -> Transformed:
    """What a stage makes of raw events. With `isolate`, what it fails on by a bug is refused."""
    if one.whole:
        try:
            pieces = range(0, len(raws), _AT_ONCE)
            made = [one.run(raws[at : at + _AT_ONCE], stream) for at in pieces]
            return list(chain.from_iterable(made)), [], []
        except Exception:  # noqa: BLE001, S110 - whatever it is, row by row it is found or raised again
            pass
    rows: list[Row] = []
    bad: list[BadRecord] = []
    versions: list[int] = []
    for raw in raws:
        try:
            # All of them before any is taken: a record refused half way is refused as a whole.
            rows += list(one.run((raw,) if one.whole else raw, stream))
        except Skip as skip:
            # The bytes stay where they are, in raw_events: the dead letter only points there.
            bad.append(BadRecord(b"", skip.message, skip.hint, raw.source_id))
            versions.append(raw.version)
        except Exception as bug:
            if not isolate:
                raise
            reason = f"The stage {one.name} has a bug that this record meets: {bug!r}."
            hint = "Report it; retry the dead letter once the stage is mended."
            bad.append(BadRecord(b"", reason, hint, raw.source_id))
            versions.append(raw.version)
    return rows, bad, versions
