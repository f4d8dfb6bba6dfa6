"""Trims GitHub's OpenAPI description to what the twin serves: npm's `@octokit/openapi`.

    npm pack @octokit/openapi && tar xzf octokit-openapi-*.tgz
    python tests/twin/github/trim.py package/generated/api.github.com.json

writes `description.json` beside this file: operations, their parameters, and the schemas of their
answers with types, required fields and enums; words and examples are left out.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

TRIMMED = Path(__file__).parent / "description.json"

_REPOSITORY = "/repos/{owner}/{repo}"
PATHS = {
    "users.get": "/user",
    "repos.list": "/user/repos",
    "orgs.repos": "/orgs/{org}/repos",
    "notifications.list": "/notifications",
    "rate_limit.get": "/rate_limit",
    "apps.installations": "/app/installations",
    "apps.token": "/app/installations/{installation_id}/access_tokens",
    "installation.repositories": "/installation/repositories",
    "repos.get": _REPOSITORY,
    "issues.list": f"{_REPOSITORY}/issues",
    "issues.get": f"{_REPOSITORY}/issues/{{issue_number}}",
    "comments.list": f"{_REPOSITORY}/issues/comments",
    "issues.comments": f"{_REPOSITORY}/issues/{{issue_number}}/comments",
    "pulls.list": f"{_REPOSITORY}/pulls",
    "pulls.get": f"{_REPOSITORY}/pulls/{{pull_number}}",
    "review_comments.list": f"{_REPOSITORY}/pulls/comments",
    "reviews.list": f"{_REPOSITORY}/pulls/{{pull_number}}/reviews",
    "commits.list": f"{_REPOSITORY}/commits",
    "commits.get": f"{_REPOSITORY}/commits/{{ref}}",
    "commits.compare": f"{_REPOSITORY}/compare/{{basehead}}",
    "branches.list": f"{_REPOSITORY}/branches",
    "refs.get": f"{_REPOSITORY}/git/ref/{{ref}}",
    "releases.list": f"{_REPOSITORY}/releases",
    "events.list": f"{_REPOSITORY}/events",
}
"""The twin's name of a call, and GitHub's path of it."""

_INSTALLATIONS = {"type": "array", "items": {"$ref": "#/components/schemas/installation"}}
"""In its place GitHub has an account that is a user and an enterprise at once: nothing is."""

_KEPT = {
    "$ref", "type", "format", "enum", "nullable", "required", "properties", "items", "oneOf",
    "anyOf", "allOf", "additionalProperties",
}  # fmt: skip


def trim(whole: dict[str, Any]) -> dict[str, Any]:
    """The description of the operations in PATHS, and every schema that these name."""
    operations = {name: _operation(whole, name) for name in PATHS}
    schemas: dict[str, Any] = {}
    waiting = set(_names(operations))
    while waiting:
        name = waiting.pop()
        schemas[name] = _schema(whole["components"]["schemas"][name])
        waiting |= set(_names(schemas[name])) - set(schemas)
    return {"operations": operations, "schemas": dict(sorted(schemas.items()))}


def _operation(whole: dict[str, Any], name: str) -> dict[str, Any]:
    methods = whole["paths"][PATHS[name]]
    operation = methods["post" if name == "apps.token" else "get"]
    parameters = [_resolved(whole, one) for one in operation.get("parameters", [])]
    answers = {}
    for status, answer in operation["responses"].items():
        content = _resolved(whole, answer).get("content", {})
        answers[status] = _schema(content["application/json"]["schema"]) if content else None
    if name == "apps.installations":
        answers["200"] = _schema(_INSTALLATIONS)
    return {
        "parameters": {one["name"]: _schema(one["schema"]) for one in parameters},
        "answers": answers,
    }


def _resolved(whole: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in part:
        return part
    _, _, kind, name = part["$ref"].split("/")
    found: dict[str, Any] = whole["components"][kind][name]
    return found


def _schema(schema: Any) -> Any:
    """The schema without words: of `properties` every key counts, elsewhere only what checks."""
    if isinstance(schema, list):
        return [_schema(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {name: value for name, value in schema.items() if name in _KEPT}
    for name, value in kept.items():
        if name == "$ref":
            kept[name] = value.rpartition("/")[2]
        elif name == "properties":
            kept[name] = {field: _schema(one) for field, one in value.items()}
        elif name not in ("required", "enum", "type", "format"):
            kept[name] = _schema(value)
    return kept


def _names(part: Any) -> list[str]:
    """The schemas that are named anywhere in it."""
    if isinstance(part, list):
        return [name for one in part for name in _names(one)]
    if not isinstance(part, dict):
        return []
    own = [part["$ref"]] if isinstance(part.get("$ref"), str) else []
    return own + [name for key, one in part.items() if key != "$ref" for name in _names(one)]


if __name__ == "__main__":
    text = json.dumps(trim(json.loads(Path(sys.argv[1]).read_bytes())), separators=(",", ":"))
    TRIMMED.write_text(text + "\n", "utf-8")
