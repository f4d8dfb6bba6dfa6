"""What JSON records of a stream look like, learned from samples, and how they have come to differ.

A field that all of the first `LEARN` records had is expected, with the types that it had there;
null is of every type. When `STREAK` records in a row lack it, or have another type in it, the shape
has drifted. A record that is as expected ends a streak; and a field that only some records lacked
was not one that all have.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from headrace.text import clean_text

LEARN = 200
STREAK = 20
MOST_FIELDS = 200
_LONGEST = 100
_GONE = "gone"


class Field(msgspec.Struct):
    """An expected field: its types, and since how many records it is `other`: gone, or a type."""

    types: list[str]
    off: int = 0
    other: str = ""


class Shape(msgspec.Struct):
    """What is expected of a stream's records, and how many were looked at."""

    records: int = 0
    fields: dict[str, Field] = {}

    def see(self, payload: bytes) -> None:
        """Look at one more record. What is no JSON object says nothing."""
        try:
            found = msgspec.json.decode(payload)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return
        if not isinstance(found, dict):
            return
        types = dict(_types(found))
        if self.records < LEARN:
            self._learn(types)
        else:
            self._hold(types)
        self.records += 1

    def drifted(self) -> dict[str, str]:
        """The fields that have been otherwise for long enough, and how, in words."""
        return {name: _said(one) for name, one in sorted(self.fields.items()) if one.off >= STREAK}

    def accept(self) -> None:
        """Take what has drifted for what is expected from now on."""
        for name in self.drifted():
            one = self.fields.pop(name)
            if one.other != _GONE:
                self.fields[name] = Field([one.other])

    def _learn(self, types: Mapping[str, str]) -> None:
        if self.records == 0:
            known = list(types)[:MOST_FIELDS]
            self.fields = {name: Field([]) for name in known}
        found = {name: _at(types, name) for name in self.fields}
        self.fields = {name: one for name, one in self.fields.items() if found[name] != _GONE}
        for name, one in self.fields.items():
            _allow(one, found[name])

    def _hold(self, types: Mapping[str, str]) -> None:
        optional = []
        for name, one in self.fields.items():
            type_ = _at(types, name)
            if type_ == _GONE or (type_ != "null" and one.types and type_ not in one.types):
                one.off = one.off + 1 if one.other == type_ else 1
                one.other = type_
                continue
            if 0 < one.off < STREAK:  # only some are so: that is no drift
                if one.other == _GONE:
                    optional.append(name)
                else:
                    _allow(one, one.other)
            one.off, one.other = 0, ""
            _allow(one, type_)
        for name in optional:
            del self.fields[name]


def _said(one: Field) -> str:
    return _GONE if one.other == _GONE else f"{one.other} instead of {' or '.join(one.types)}"


def _at(types: Mapping[str, str], name: str) -> str:
    """The type of a field; of one in an object that is null here, null."""
    above, dot, _ = name.partition(".")
    return types.get(name, "null" if dot and types.get(above) == "null" else _GONE)


def _allow(one: Field, type_: str) -> None:
    if type_ != "null" and type_ not in one.types:
        one.types.append(type_)


def _types(record: dict[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    """Each field of a record, and of the objects in it, with its type."""
    for name, value in record.items():
        path = clean_text(f"{above}{name}"[:_LONGEST])
        yield path, _type(value)
        if isinstance(value, dict) and not above:
            yield from _types(value, f"{path}.")


def _type(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case int() | float():
            return "number"
        case str():
            return "text"
        case list():
            return "array"
    return "object"
