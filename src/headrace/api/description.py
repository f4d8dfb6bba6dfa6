"""The OpenAPI description: FastAPI's, with errors as they really are."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from headrace.api.problems import MEDIA_TYPE, Problem

_REF = "#/components/schemas/{model}"
_OPEN = ("/health", "/ready")


def describe(app: FastAPI) -> dict[str, Any]:
    """Made at the first call and kept."""
    if app.openapi_schema is None:
        made = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            routes=app.routes,
        )
        schemas = made.setdefault("components", {}).setdefault("schemas", {})
        shape = Problem.model_json_schema(ref_template=_REF)
        schemas.update(shape.pop("$defs", {}))
        schemas["Problem"] = shape
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        for path, operations in made["paths"].items():
            for operation in operations.values():
                operation["responses"] |= _problems(path)
                if path in _OPEN:
                    operation["responses"].pop("422", None)
        app.openapi_schema = made
    return app.openapi_schema


def _problems(path: str) -> dict[str, Any]:
    statuses = {503: "PostgreSQL does not answer."}
    if path not in _OPEN:
        statuses |= {401: "No key, or one that opens nothing.", 422: "Not usable as given."}
    if "{" in path:
        statuses |= {404: "Not there, or not the caller's.", 409: "In no state for it."}
    content = {MEDIA_TYPE: {"schema": {"$ref": _REF.format(model="Problem")}}}
    return {str(one): {"description": why, "content": content} for one, why in statuses.items()}
