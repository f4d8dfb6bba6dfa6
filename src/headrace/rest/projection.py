"""From a payload to the columns of the table `events`, compiled once for each stream's spec.

The columns are text, a time and JSON. Numbers and true or false become text; an object where a text
should be is a type that has changed, and the record is skipped with the field's name (R13). Fields
that nobody asked for stay in the payload, which is kept whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

import msgspec

from headrace.errors import Skip
from headrace.rest.paths import compile_paths, look
from headrace.rest.records import decode_any
from headrace.rest.stream_spec import Stream
from headrace.rest.times import moment, quick_moment
from headrace.rows import EventRow
from headrace.stage import RawEvent
from headrace.text import (
    LABEL,
    MAX_TERMS,
    clean_json,
    clean_text,
    lexeme,
    lexemes,
    tokenize,
    tsvector,
)

MAX_TEXT = 512
"""Characters of a text column; PostgreSQL cannot index much more. The payload has all of it."""

_SCALAR = str | int | float | bool | None
_HINT = "Correct the spec's `project`, or the record at its source, then retry the dead letter."
_ANY = msgspec.json.Decoder()
_TEXTS = {str}


class Projected(msgspec.Struct, gc=False):
    """The columns of one event. `properties` is JSON that PostgreSQL takes."""

    type: str | None
    name: str | None
    actor_id: str | None
    session_id: str | None
    occurred_at: datetime | None
    properties: bytes
    terms: frozenset[str]


class Projection:
    """Calling it turns the bytes of a payload into its columns; it raises Skip where it cannot."""

    def __init__(self, spec: Stream) -> None:
        wanted = spec.project
        self._texts = (wanted.type, wanted.name, wanted.actor_id, wanted.session_id)
        self._time = wanted.time or spec.time
        self._properties = wanted.properties
        paths: dict[str, Any] = dict.fromkeys(self._texts, _SCALAR)
        if self._time is not None:
            paths[self._time] = _SCALAR
        paths[self._properties] = msgspec.Raw
        struct, getters = compile_paths("Columns", paths, strict=True)
        self._decode = msgspec.json.Decoder(struct).decode
        self._decode_many = msgspec.json.Decoder(list[struct]).decode  # type: ignore[valid-type]
        self._get = tuple(getters[path] for path in self._texts)
        self._get_time = getters[self._time] if self._time is not None else None
        self._get_properties = getters[self._properties]

    def __call__(self, payload: bytes) -> Projected:
        """The columns. Whatever is out of the ordinary goes the slow way and is named there."""
        if b"\\u" in payload:
            payload = clean_json(payload)
        try:
            fields = self._decode(payload)
            texts = [get(fields) for get in self._get]
            raw = self._get_properties(fields)
            properties, values = b"{}", None
            if raw is not msgspec.UNSET:
                properties = bytes(raw)
                values = _ANY.decode(properties)
            time = self._get_time(fields) if self._get_time is not None else None
            occurred_at = None
            if time is not None and time is not msgspec.UNSET:
                occurred_at = quick_moment(time)
        except (ValueError, RecursionError):
            return self._slowly(payload)
        kind, name, actor, session = (
            text if type(text) is str and len(text) <= MAX_TEXT else _text(text) for text in texts
        )
        if values is None:
            properties = b"{}"
        elif type(values) is not dict and type(values) is not list:
            return self._slowly(payload)
        return Projected(
            kind, name, actor, session, occurred_at, properties, _terms(kind, name, values)
        )

    def rows(self, raws: Sequence[RawEvent]) -> list[EventRow]:
        """The rows of many records at once, at half the price of one by one. Raises ValueError or
        Skip where one of them is out of the ordinary: then one by one is the way."""
        joined = b"[" + b",".join([raw.payload for raw in raws]) + b"]"
        # One byte is looked for ten times as fast as two, and most payloads have no backslash.
        if b"\\" in joined and clean_json(joined) is not joined:
            raise ValueError("some payload must be cleaned first")
        found = self._decode_many(joined)
        get, unset = self._get_properties, msgspec.UNSET
        properties = [b"{}" if (raw := get(one)) is unset else bytes(raw) for one in found]
        values = _ANY.decode(b"[" + b",".join(properties) + b"]")
        if not len(found) == len(values) == len(raws):
            raise ValueError("some payload is not one JSON value")
        texts = [_column(list(map(get, found))) for get in self._get]
        times = self._times(raws, found)
        made = zip(raws, times, *texts, properties, values, strict=True)
        return [_event(*one) for one in made]

    def _times(self, raws: Sequence[RawEvent], found: Sequence[Any]) -> list[datetime | None]:
        landed = [raw.occurred_at for raw in raws]
        if self._get_time is None:
            return landed
        unset = msgspec.UNSET
        given = list(map(self._get_time, found))
        return [
            at if value is None or value is unset else quick_moment(value)
            for at, value in zip(landed, given, strict=True)
        ]

    def row(self, raw: RawEvent) -> EventRow:
        """The row of one record. Raises Skip."""
        found = self(raw.payload)
        return EventRow(
            source_id=raw.source_id,
            version=raw.version,
            occurred_at=found.occurred_at or raw.occurred_at,
            type=found.type,
            name=found.name,
            actor_id=found.actor_id,
            session_id=found.session_id,
            properties=found.properties,
            search=tsvector(frozenset(map(lexeme, found.terms))),
        )

    def _slowly(self, payload: bytes) -> Projected:
        """The same, field by field. Raises Skip naming the first one that is not what it was."""
        try:
            document = decode_any(clean_json(payload))
        except ValueError as error:
            raise Skip(f"The record {error}.", hint=_HINT) from None
        texts = []
        for path in self._texts:
            value = look(document, path)
            if isinstance(value, (dict, list)):
                what = "an object" if isinstance(value, dict) else "an array"
                raise Skip(f"The field {path} is {what}, where a text belongs.", hint=_HINT)
            texts.append(_text(value))
        occurred_at = None
        if self._time is not None:
            time = look(document, self._time)
            if time is not None and time is not msgspec.UNSET:
                try:
                    occurred_at = moment(time)
                except ValueError as error:
                    raise Skip(f"The field {self._time} {error}.", hint=_HINT) from None
        values = look(document, self._properties)
        if values is msgspec.UNSET or values is None:
            values = {}
        if not isinstance(values, (dict, list)):
            raise Skip(f"The field {self._properties} is not an object.", hint=_HINT)
        kind, name, actor, session = texts
        properties = clean_json(msgspec.json.encode(values))
        return Projected(
            kind, name, actor, session, occurred_at, properties, _terms(kind, name, values)
        )


def compile_projection(spec: Stream) -> Projection:
    """What turns a stream's payloads into columns; it raises Skip for one that cannot be."""
    return Projection(spec)


def _text(value: Any) -> str | None:
    if value is None or value is msgspec.UNSET:
        return None
    if not isinstance(value, str):
        value = msgspec.json.encode(value).decode()
    return clean_text(value[:MAX_TEXT])


@lru_cache(maxsize=16_384)
def _terms_of_kind(kind: str | None, name: str | None) -> frozenset[str]:
    return tokenize(kind or "") | tokenize(name or "")


def _terms(kind: str | None, name: str | None, values: Any) -> frozenset[str]:
    """The words of an event: its type, its name, and every text inside its properties."""
    found = _terms_of_kind(kind, name)
    waiting = [values] if values else []
    sets = []
    while waiting:
        here = waiting.pop()
        for value in here.values() if type(here) is dict else here:
            if type(value) is str:
                sets.append(tokenize(value))
            elif type(value) is dict or type(value) is list:
                waiting.append(value)
    if sets:
        found = found.union(*sets)
        if len(found) > MAX_TERMS:
            found = frozenset(sorted(found)[:MAX_TERMS])
    return found


def _column(values: list[Any]) -> list[str | None]:
    """A column of texts; nearly always all of them are texts already, and short enough."""
    if set(map(type, values)) == _TEXTS and max(map(len, values)) <= MAX_TEXT:
        return values
    return [text if type(text) is str and len(text) <= MAX_TEXT else _text(text) for text in values]


def _event(
    raw: RawEvent,
    occurred_at: datetime | None,
    kind: str | None,
    name: str | None,
    actor: str | None,
    session: str | None,
    properties: bytes,
    values: Any,
) -> EventRow:
    if values is None:
        properties, values = b"{}", {}
    elif type(values) is not dict and type(values) is not list:
        raise ValueError("some properties are not an object")
    return EventRow(
        source_id=raw.source_id,
        version=raw.version,
        occurred_at=occurred_at,
        type=kind,
        name=name,
        actor_id=actor,
        session_id=session,
        properties=properties,
        search=_search(kind, name, values),
    )


@lru_cache(maxsize=16_384)
def _lexemes_of_kind(kind: str | None, name: str | None) -> frozenset[bytes]:
    return lexemes(kind or "") | lexemes(name or "")


def _search(kind: str | None, name: str | None, values: Any) -> bytes:
    """The same words as a tsvector; labels, which most texts are, come out of the memory."""
    sets = []
    for value in values.values() if type(values) is dict else values:
        if type(value) is str and len(value) <= LABEL:
            sets.append(lexemes(value))
        elif type(value) is str or type(value) is dict or type(value) is list:
            break
    else:
        words = _lexemes_of_kind(kind, name).union(*sets)
        if len(words) <= MAX_TERMS:
            return tsvector(words)
    return tsvector(frozenset(map(lexeme, _terms(kind, name, values))))
