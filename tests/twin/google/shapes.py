"""Holds an answer against the trimmed discovery document: no unknown field, no wrong type."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from tests.twin.google.discovery import trimmed

_TYPES = {"string": str, "integer": int, "boolean": bool, "array": list, "object": dict}
_BITS = {"int32": 31, "uint32": 32, "int64": 63, "uint64": 64}
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


def wrong_in(api: str, name: str, body: Any) -> list[str]:
    """What is wrong with the answer of a method, a line for each place."""
    facts = trimmed()[api]
    return list(_wrong(facts["schemas"], {"$ref": facts["methods"][name]["response"]}, body, "$"))


def _wrong(schemas: dict[str, Any], schema: dict[str, Any], value: Any, at: str) -> Iterator[str]:
    if "$ref" in schema:
        schema = schemas[schema["$ref"]]
    kind = _TYPES.get(schema.get("type", ""))
    if kind is not None and type(value) is not kind:
        yield f"{at} is {type(value).__name__}, not {schema['type']}"
    elif isinstance(value, list):
        for place, one in enumerate(value):
            yield from _wrong(schemas, schema["items"], one, f"{at}[{place}]")
    elif isinstance(value, dict):
        fields, others = schema.get("properties", {}), schema.get("additionalProperties")
        for name, one in value.items():
            if name not in fields and others is None:
                yield f"{at}.{name} is no field there is"
            else:
                yield from _wrong(schemas, fields.get(name, others), one, f"{at}.{name}")
    elif not _fits(str(value), schema):
        yield f"{at} is {value!r}, which is no {schema}"


def _fits(value: str, schema: dict[str, Any]) -> bool:
    if "enum" in schema and value not in schema["enum"]:
        return False
    form = str(schema.get("format", ""))
    try:
        if form in _BITS:
            return abs(int(value)) < 1 << _BITS[form]
        if form == "byte":
            return base64.urlsafe_b64encode(base64.urlsafe_b64decode(value)).decode() == value
        if form == "date":
            return date.fromisoformat(value).isoformat() == value
        if form == "date-time":
            return bool(datetime.fromisoformat(value) and _RFC3339.fullmatch(value))
    except ValueError:
        return False
    return True
