"""Holds a JSON value against a schema of GitHub's description, as far as that one goes.

Stricter than the description in one thing: an object may have no field that its schema does not
name. Laxer in another: of `oneOf` at least one has to fit, since GitHub's event payloads overlap.
"""

from __future__ import annotations

import json
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

Schema = dict[str, Any]

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
}


@cache
def description() -> dict[str, Any]:
    """The trimmed description."""
    text = Path(__file__).with_name("description.json").read_text("utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def problems_of_answer(call: str, status: int, body: Any) -> list[str]:
    """What is wrong with an answer. Refusals GitHub's description has not are basic errors."""
    answers = description()["operations"][call]["answers"]
    if status == 304:
        return []
    schema = answers.get(str(status))
    if schema is None:
        if status < 300:
            return [f"{call} has no answer {status}"]
        schema = {"$ref": "basic-error"}
    if status >= 400:  # GitHub sends it with every error; only some of its schemas say so
        body = {name: value for name, value in body.items() if name != "status"}
    return [f"{call} {status}{problem}" for problem in problems(schema, body)]


def problems(schema: Schema, value: Any, at: str = "") -> list[str]:
    """Every place where the value is not what the schema says."""
    if "$ref" in schema:
        return problems(description()["schemas"][schema["$ref"]], value, at)
    if value is None:
        may = schema.get("nullable") or any(
            not problems(one, None)
            for key in ("oneOf", "anyOf", "allOf")
            for one in schema.get(key, [])
        )
        return [] if may or not schema else [f"{at} is null"]
    for key in ("oneOf", "anyOf"):
        if key in schema:
            tried = [problems(one, value, at) for one in schema[key]]
            return min(tried, key=len)
    if "allOf" in schema:
        return _missing(_merged(schema), value, at)
    wanted = schema.get("type")
    if wanted and not _is(wanted, value):
        return [f"{at} is {type(value).__name__}, not {wanted}"]
    found = []
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{at} is {value!r}, none of {schema['enum']}")
    if schema.get("format") == "date-time":
        found += _not_a_time(value, at)
    if isinstance(value, dict):
        found += _missing(schema, value, at)
    if isinstance(value, list):
        for place, one in enumerate(value):
            found += problems(schema.get("items", {}), one, f"{at}[{place}]")
    return found


def _missing(schema: Schema, value: dict[str, Any], at: str) -> list[str]:
    found = [f"{at}.{name} is missing" for name in schema.get("required", []) if name not in value]
    fields = schema.get("properties")
    for name, one in value.items():
        if fields is not None and name in fields:
            found += problems(fields[name], one, f"{at}.{name}")
        elif fields and not schema.get("additionalProperties"):
            found.append(f"{at}.{name} is unknown")
    return found


def _merged(schema: Schema) -> Schema:
    """All parts of an `allOf` as one object."""
    merged: Schema = {"required": [], "properties": {}}
    for part in schema["allOf"]:
        whole = description()["schemas"][part["$ref"]] if "$ref" in part else part
        merged["required"] = merged["required"] + whole.get("required", [])
        merged["properties"] = merged["properties"] | whole.get("properties", {})
    return merged


def _is(wanted: str, value: Any) -> bool:
    if isinstance(value, bool):
        return wanted == "boolean"
    return isinstance(value, _TYPES[wanted])


def _not_a_time(value: str, at: str) -> list[str]:
    try:
        datetime.strptime(value, "%Y-%m-%dT%H:%M:%SZ").astimezone()
    except ValueError:
        return [f"{at} is {value!r}, not a time to the second"]
    return []
