"""Records of an events API into the table `events`, as the stream's spec projects them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

import msgspec

from headrace.errors import BadInput
from headrace.rest import parse_spec
from headrace.rest.projection import Projection, compile_projection
from headrace.rest.stream_spec import Stream
from headrace.rows import EventRow
from headrace.stage import RawEvent, StreamContext, stage


@lru_cache(maxsize=256)
def _projection(config: str, stream: str) -> Projection:
    """The stream's projection. One that has no spec is taken to use DataSync's names."""
    try:
        spec = parse_spec(msgspec.json.decode(config)).streams[stream]
    except (BadInput, KeyError, msgspec.DecodeError):
        spec = Stream(path="/")
    return compile_projection(spec)


@stage(version=1, content="application/json")
def normalize_events(raws: Sequence[RawEvent], stream: StreamContext) -> Iterable[EventRow]:
    """One row for each record. Raises Skip when a field it uses has changed its type (R13)."""
    projection = _projection(stream.config, stream.stream)
    return [projection.row(raws[0])] if len(raws) == 1 else projection.rows(raws)
