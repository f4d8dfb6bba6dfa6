"""What Google's own discovery documents say of the methods that the twin serves.

    python -m tests.twin.google.discovery google_api_python_client-*.whl

reads the documents in that wheel (from PyPI; it is not one of our dependencies) and writes
`discovery.json` beside this file: paths, parameters, scopes, and the fields of every answer. The
descriptions are left out.
"""

from __future__ import annotations

import json
import sys
import zipfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from headrace.twin.google.calendar import CALLS as CALENDAR
from headrace.twin.google.gmail import CALLS as GMAIL

Json = dict[str, Any]
TRIMMED = Path(__file__).with_name("discovery.json")
DOCUMENTS = "googleapiclient/discovery_cache/documents"
FILES = {"gmail": "gmail.v1.json", "calendar": "calendar.v3.json"}
SERVED = {
    "gmail": {call.name for call in GMAIL},
    "calendar": {call.name for call in CALENDAR},
}
_FIELD = ("type", "format", "enum", "items", "properties", "additionalProperties", "$ref")
_PARAMETER = ("type", "format", "enum", "repeated", "required", "location", "minimum")


@cache
def trimmed() -> Json:
    """The facts as they are kept in the repository."""
    facts: Json = json.loads(TRIMMED.read_text("utf-8"))
    return facts


def extract(documents: dict[str, Json]) -> Json:
    """The same facts out of the documents themselves."""
    return {api: _api(document, SERVED[api]) for api, document in documents.items()}


def _api(document: Json, served: set[str]) -> Json:
    methods = {
        name: {
            "http": method["httpMethod"],
            "path": "/" + document["servicePath"] + method["path"],
            "parameters": {
                one: {key: said[key] for key in _PARAMETER if key in said}
                for one, said in method.get("parameters", {}).items()
            },
            "scopes": method["scopes"],
            "response": method["response"]["$ref"],
        }
        for name, method in _methods(document, "")
        if name in served
    }
    schemas: Json = {}
    for method in methods.values():
        _collect(document, method["response"], schemas)
    return {
        "revision": document["revision"],
        "parameters": sorted(document["parameters"]),
        "methods": methods,
        "schemas": schemas,
    }


def _methods(resource: Json, above: str) -> Iterator[tuple[str, Json]]:
    """Each method by its name, `users.` apart, which all of Gmail's begin with."""
    for name, method in resource.get("methods", {}).items():
        yield f"{above}{name}".removeprefix("users."), method
    for name, inner in resource.get("resources", {}).items():
        yield from _methods(inner, f"{above}{name}.")


def _collect(document: Json, name: str, schemas: Json) -> None:
    """A schema and all that it leads to."""
    if name in schemas:
        return
    schemas[name] = _schema(document["schemas"][name])
    for inner in _references(schemas[name]):
        _collect(document, inner, schemas)


def _schema(said: Json) -> Json:
    kept = {key: said[key] for key in _FIELD if key in said}
    if "properties" in kept:
        kept["properties"] = {name: _schema(one) for name, one in kept["properties"].items()}
    for key in ("items", "additionalProperties"):
        if key in kept:
            kept[key] = _schema(kept[key])
    return kept


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        for key, value in schema.items():
            if key == "$ref" and isinstance(value, str):
                yield value
            else:
                yield from _references(value)


def main(wheel: str) -> None:
    """Write the trimmed facts anew."""
    with zipfile.ZipFile(wheel) as archive:
        documents = {
            api: json.loads(archive.read(f"{DOCUMENTS}/{name}")) for api, name in FILES.items()
        }
    text = json.dumps(extract(documents), separators=(",", ":"), sort_keys=True)
    TRIMMED.write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
