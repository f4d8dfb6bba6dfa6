"""What exists at this moment, for holding a copy against: every object's global id and a digest."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from headrace.twin.github.history import reachable
from headrace.twin.github.render import activity, code, issues, pulls, repositories
from headrace.twin.github.render.people import Json, Site
from headrace.twin.github.rows import Repository

_FOLLOWS_REPOSITORY = {"url", "_links", "repo", "repository", "body_text", "body_html"}

Kinds = dict[str, dict[str, dict[str, str]]]
"""Kind, global id, and then `updated_at` and `sha256`."""


def fingerprint(shape: Json) -> str:
    """SHA-256 of the object's canonical JSON: keys sorted, no spaces, UTF-8.

    Addresses and the repository inside a pull request are left out: they change with the
    repository, and neither `updated_at` nor a person says that the object has changed.
    """
    return hashlib.sha256(msgspec.json.encode(_own(shape), order="sorted")).hexdigest()


def truth(site: Site, row: Repository) -> Kinds:
    """All that is in a repository. Commits are those a branch leads to; notifications, all."""
    requests = [one for one in row.issues.values() if one.pull]
    own = repositories.repository(site, row)
    commits = reachable(row, row.branches.values())
    return {
        "repository": _facts([repositories.minimal(site, row)], "node_id"),
        "issues": _facts((issues.issue(site, row, one) for one in row.issues.values()), "node_id"),
        "comments": _facts(
            (issues.comment(site, row, one) for one in row.comments.values()), "node_id"
        ),
        "pulls": _facts((pulls.simple(site, row, one, own) for one in requests), "node_id"),
        "reviews": _facts(
            (issues.review(site, row, one) for one in row.reviews.values()), "node_id"
        ),
        "review_comments": _facts(
            (issues.review_comment(site, row, one) for one in row.review_comments.values()),
            "node_id",
        ),
        "commits": _facts((code.commit(site, row, row.commits[sha]) for sha in commits), "node_id"),
        "releases": _facts(
            (code.release(site, row, one) for one in row.releases.values()), "node_id"
        ),
        "notifications": _facts(
            (activity.thread(site, row, one) for one in row.threads.values()), "id"
        ),
    }


def _facts(shapes: Iterable[Json], key: str) -> dict[str, dict[str, str]]:
    return {
        shape[key]: {"updated_at": _updated(shape), "sha256": fingerprint(shape)}
        for shape in shapes
    }


def _updated(shape: Json) -> str:
    """When it changed last: a commit says it inside, a review when it was given."""
    if "commit" in shape:
        return str(shape["commit"]["committer"]["date"])
    return str(shape.get("updated_at") or shape.get("submitted_at") or "")


def _own(value: Any) -> Any:
    if isinstance(value, dict):
        return dict(_kept(value))
    return [_own(one) for one in value] if isinstance(value, list) else value


def _kept(shape: Json) -> Iterator[tuple[str, Any]]:
    for name, value in shape.items():
        if name not in _FOLLOWS_REPOSITORY and not name.endswith("_url"):
            yield name, _own(value)
