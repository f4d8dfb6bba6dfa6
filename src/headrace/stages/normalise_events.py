"""Records of an events API into the table `events`, as the stream's spec projects them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache

import msgspec

from headrace.errors import BadInput
from headrace.rest import parse_spec
from headrace.rest.projection import Projected, compile_projection
from headrace.rest.stream_spec import Stream
from headrace.rows import EventRow
from headrace.stage import RawEvent, StreamContext, stage


@lru_cache(maxsize=256)
def _projection(config: str, stream: str) -> Callable[[bytes], Projected]:
    """The stream's projection. One that has no spec is taken to use DataSync's names."""
    try:
        spec = parse_spec(msgspec.json.decode(config)).streams[stream]
    except (BadInput, KeyError, msgspec.DecodeError):
        spec = Stream(path="/")
    return compile_projection(spec)


@stage(version=1, content="application/json")
def normalize_events(raw: RawEvent, stream: StreamContext) -> Iterable[EventRow]:
    """One row for each record. Raises Skip when a field it uses has changed its type (R13)."""
    found = _projection(stream.config, stream.stream)(raw.payload)
    return (
        EventRow(
            source_id=raw.source_id,
            version=raw.version,
            occurred_at=found.occurred_at or raw.occurred_at,
            type=found.type,
            name=found.name,
            actor_id=found.actor_id,
            session_id=found.session_id,
            properties=found.properties,
            terms=found.terms,
        ),
    )
