"""The parts of a stream, and their names: `2026-01-01..2026-01-08` says what it holds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from headrace.errors import NeedsHuman
from headrace.rest.stream_spec import KeySlices, Stream, TimeSlices

_DAY = timedelta(days=1)


def names(stream: Stream) -> tuple[str, ...]:
    """The names of a stream's parts; a stream that is not cut has the one part ""."""
    if isinstance(stream.slices, KeySlices):
        return tuple(stream.slices.values)
    if isinstance(stream.slices, TimeSlices):
        edges = _edges(stream.slices)
        return tuple(f"{_written(a)}..{_written(b)}" for a, b in pairwise(edges))
    return ("",)


def bounds(name: str) -> tuple[datetime, datetime]:
    """The times a part begins with and ends before. Raises NeedsHuman for no such name."""
    try:
        begin, end = (datetime.fromisoformat(edge) for edge in name.split(".."))
    except ValueError:
        raise NeedsHuman(
            f"{name!r} is not a part of this stream.", hint="The spec's slices have changed."
        ) from None
    return _utc(begin), _utc(end)


def _edges(cut: TimeSlices) -> list[datetime]:
    """Equal parts, their edges on whole days where parts are longer than a day, else on seconds."""
    span = cut.end - cut.begin
    grain = _DAY if span >= cut.count * _DAY else timedelta(seconds=1)
    inner = [
        cut.begin + (span * number / cut.count) // grain * grain for number in range(1, cut.count)
    ]
    return sorted({cut.begin, *inner, cut.end})


def _written(edge: datetime) -> str:
    if edge.time() == datetime.min.time():
        return edge.date().isoformat()
    return edge.strftime("%Y-%m-%dT%H:%M:%SZ")


def _utc(edge: datetime) -> datetime:
    return edge.replace(tzinfo=UTC) if edge.tzinfo is None else edge
